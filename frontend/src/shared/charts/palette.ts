import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';

export interface Palette {
  ink: string;
  muted: string;
  grid: string;
  surface: string;
  past: string;
  future: string;
  band80: string;
  band95: string;
}

/** Also of pictures, which are pasted onto white pages. */
export const LIGHT: Palette = {
  ink: '#1b2130',
  muted: '#5b6272',
  grid: '#ebe6dc',
  surface: '#ffffff',
  past: '#2474f0',
  future: '#782ff7',
  band80: 'rgba(120, 47, 247, 0.17)',
  band95: 'rgba(120, 47, 247, 0.09)',
};

const DARK: Palette = {
  ink: '#e6e9f2',
  muted: '#a2abc0',
  grid: '#282f40',
  surface: '#1d2230',
  past: '#5599ff',
  future: '#b08cff',
  band80: 'rgba(150, 99, 249, 0.30)',
  band95: 'rgba(150, 99, 249, 0.16)',
};

/** A canvas cannot read CSS variables, so the colours of the two schemes stand here once more. */
export function usePalette(): Palette {
  const scheme = useComputedColorScheme('light');
  return useMemo(() => (scheme === 'dark' ? DARK : LIGHT), [scheme]);
}
