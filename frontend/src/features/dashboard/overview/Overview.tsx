import { Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import type { DashboardOutput, JobOutput } from '@/shared/api/gen/model';
import { FigureHelp } from '@/shared/insights/FigureHelp';
import { NumberCards } from '@/shared/shapes/NumberCards';
import { Icon, type IconName } from '@/shared/ui/icons';
import tones from '@/shared/ui/Notice.module.css';
import { Panel } from '@/shared/ui/Panel';

import { attentionOf, kpisOf } from './department';
import type { Attention, Target } from './entries';
import classes from './Overview.module.css';

interface OverviewProps {
  dashboard: DashboardOutput;
  /** The department's newest; null where the insights of an older upload are shown, which ask for nothing. */
  jobs: readonly JobOutput[] | null;
}

/** How things are, and what needs a person: each entry one click from the rows behind it. */
export function Overview({ dashboard, jobs }: OverviewProps) {
  const kpis = kpisOf(dashboard);
  const entries = jobs && attentionOf(dashboard, jobs);
  if (kpis.length === 0 && !entries?.length) return null;
  return (
    <Panel title="At a glance">
      {kpis.length > 0 && (
        <NumberCards
          cards={kpis.map(({ kind, kpi: { figure, ...card } }) => ({
            ...card,
            help: figure && <FigureHelp kind={kind} figure={figure} label={card.label} />,
          }))}
        />
      )}
      {entries && (
        <section aria-labelledby="attention">
          <Title order={3} id="attention" mb="xs">
            Needs attention{entries.length > 0 && ` (${entries.length})`}
          </Title>
          {entries.length === 0 ? (
            <p className={classes.calm}>
              <Icon name="check" size={16} /> Nothing. All is computed and loaded.
            </p>
          ) : (
            <ul className={classes.list}>
              {entries.map((entry) => (
                <Entry key={entry.key} entry={entry} department={dashboard.department} />
              ))}
            </ul>
          )}
        </section>
      )}
    </Panel>
  );
}

const LOOKS: Record<Attention['tone'], { icon: IconName; word: string }> = {
  bad: { icon: 'alert', word: 'Urgent' },
  warning: { icon: 'alert', word: 'Soon' },
  info: { icon: 'info', word: 'To know' },
};

function Entry({ entry, department }: { entry: Attention; department: string }) {
  const { icon, word } = LOOKS[entry.tone];
  return (
    <li className={`${classes.entry} ${tones[entry.tone]}`}>
      <span className={classes.mark}>
        <Icon name={icon} size={15} strokeWidth={2.2} />
        {word}
      </span>
      <span className={classes.words}>
        <b>{entry.title}</b>
        {entry.detail !== undefined && <span className={classes.detail}>{entry.detail}</span>}
      </span>
      <Way target={entry.target} department={department}>
        {entry.action}
        <Icon name="right" size={14} />
      </Way>
    </li>
  );
}

function Way({ target, department, children }: { target: Target; department: string; children: ReactNode }) {
  switch (target.to) {
    case 'insight': {
      const state = Object.entries({ q: undefined, page: undefined, ...target.state });
      const named = Object.fromEntries(state.map(([key, value]) => [`${target.kind}.${key}`, value]));
      return (
        <Link
          to="/dashboard/$department"
          params={{ department }}
          search={(before) => ({ ...before, ...named })}
          hash={target.kind}
          className={classes.way}
        >
          {children}
        </Link>
      );
    }
    case 'job':
      return (
        <Link to="/jobs/$job" params={{ job: target.job }} className={classes.way}>
          {children}
        </Link>
      );
    case 'rejects':
      return (
        <Link
          to="/data/$dataset"
          params={{ dataset: target.dataset }}
          search={{ tab: 'rejects' }}
          className={classes.way}
        >
          {children}
        </Link>
      );
    case 'upload':
      return (
        <Link to="/upload" className={classes.way}>
          {children}
        </Link>
      );
  }
}
