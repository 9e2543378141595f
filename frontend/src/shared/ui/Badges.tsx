import type { RunStatus } from '@/shared/api/gen/model';
import type { Severity } from '@/shared/insights/types';

import classes from './Badge.module.css';
import { Icon, type IconName } from './icons';
import tones from './Notice.module.css';

interface Look {
  icon: IconName;
  tone: string | undefined;
  word: string;
}

/** Icon and word beside the colour: each says it alone. */
function Badge({ icon, tone, word, moving = false }: Look & { moving?: boolean }) {
  return (
    <span className={[classes.badge, tone, moving ? classes.moving : ''].join(' ')}>
      <Icon name={icon} size={13} strokeWidth={2.4} />
      {word}
    </span>
  );
}

const STATUS: Record<RunStatus, Look> = {
  queued: { icon: 'clock', tone: classes.neutral, word: 'Queued' },
  processing: { icon: 'pulse', tone: tones.info, word: 'Processing' },
  succeeded: { icon: 'check', tone: tones.good, word: 'Succeeded' },
  failed: { icon: 'cross', tone: tones.bad, word: 'Failed' },
};

export function StatusBadge({ status, partial = false }: { status: RunStatus; partial?: boolean }) {
  if (status === 'succeeded' && partial)
    return <Badge icon="alert" tone={tones.warning} word="Partly loaded" />;
  return <Badge {...STATUS[status]} moving={status === 'processing'} />;
}

export function UpBadge({ isUp, down = 'Down' }: { isUp: boolean; down?: string }) {
  return isUp ? (
    <Badge icon="check" tone={tones.good} word="Up" />
  ) : (
    <Badge icon="cross" tone={tones.bad} word={down} />
  );
}

const SEVERITY: Record<Severity, Look> = {
  critical: { icon: 'alert', tone: tones.bad, word: 'Critical' },
  high: { icon: 'up', tone: tones.warning, word: 'High' },
  medium: { icon: 'right', tone: tones.info, word: 'Medium' },
  low: { icon: 'down', tone: classes.neutral, word: 'Low' },
};

export const SEVERITY_RANK: Record<Severity, number> = { critical: 0, high: 1, medium: 2, low: 3 };

/** A severity this page does not know yet is still shown, by its own word. */
export function SeverityBadge({ severity }: { severity: string }) {
  const look = (SEVERITY as Partial<Record<string, Look>>)[severity];
  return <Badge {...(look ?? { ...SEVERITY.low, word: severity })} />;
}
