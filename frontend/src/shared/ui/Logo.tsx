import { useId } from 'react';

/** An infinity loop whose upper edge is a cloud: data that goes round, and rises. */
export function LogoMark({ size = 32 }: { size?: number }) {
  const gradient = useId();
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" fill="none" aria-hidden="true" focusable="false">
      <defs>
        <linearGradient id={gradient} x1="4" y1="44" x2="60" y2="24" gradientUnits="userSpaceOnUse">
          <stop stopColor="#3486ff" />
          <stop offset=".52" stopColor="#782ff7" />
          <stop offset="1" stopColor="#00c8a7" />
        </linearGradient>
      </defs>
      <path
        d={LOOP}
        stroke={`url(#${gradient})`}
        strokeWidth="5.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

export const LOOP =
  'M31 37 C27 31 23 28 17.5 28 A10 10 0 0 0 17.5 48 C24 48 27 43.5 31 37 C35 30.5 39 24.4 46.5 24.4 A11.8 11.8 0 0 1 46.5 48 C39 48 35 43 31 37 Z M17.8 28 A14.5 14.5 0 0 1 45.4 24.4';

export function Logo({ size = 32 }: { size?: number }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 10 }}>
      <LogoMark size={size} />
      <span
        style={{
          fontFamily: 'Poppins, sans-serif',
          fontWeight: 600,
          fontSize: size * 0.6,
          letterSpacing: '-0.02em',
          color: 'var(--af-ink)',
        }}
      >
        AetherFlow
      </span>
    </span>
  );
}
