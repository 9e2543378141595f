import { UnstyledButton } from '@mantine/core';

import type { DashboardOutput, InsightOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { TextLink } from '@/shared/ui/links';
import { Popout } from '@/shared/ui/Popout';

import classes from './Provenance.module.css';
import { viewOf } from './registry';

/** Where the numbers come from: the newest upload and its rows, when they were computed, and how. */
export function Provenance({ dashboard }: { dashboard: DashboardOutput }) {
  const { latest, loaded } = dashboard.datasets;
  return (
    <div className={classes.strip}>
      {latest && (
        <span>
          From{' '}
          <TextLink to="/data/$dataset" params={{ dataset: latest.id }} size="sm">
            {latest.name}
          </TextLink>
          {loaded > 1 && ` and ${plural(loaded - 1, 'earlier upload', 'earlier uploads')}`}
        </span>
      )}
      {latest && (
        <span className="tabular">
          {plural(latest.rows, 'row', 'rows')} in it
          {latest.rejected > 0 && (
            <>
              ,{' '}
              <TextLink
                to="/data/$dataset"
                params={{ dataset: latest.id }}
                search={{ tab: 'rejects' }}
                size="sm"
              >
                {format.integer(latest.rejected)} rejected
              </TextLink>
            </>
          )}
        </span>
      )}
      {latest && (
        <span title={format.dateTime(latest.uploaded_at)}>uploaded {format.ago(latest.uploaded_at)}</span>
      )}
      {dashboard.last_updated && (
        <span title={format.dateTime(dashboard.last_updated)}>
          computed {format.ago(dashboard.last_updated)}
        </span>
      )}
      {dashboard.insights.length > 0 && <Methods insights={dashboard.insights} />}
    </div>
  );
}

/** By which method, of which version and when, each insight was computed. */
function Methods({ insights }: { insights: readonly InsightOutput[] }) {
  return (
    <span>
      <Popout
        name="By which method"
        width={360}
        button={(opens) => (
          <UnstyledButton {...opens} className={classes.how}>
            by which method
          </UnstyledButton>
        )}
      >
        <div className={classes.methods}>
          {insights.map((insight) => (
            <div key={insight.id}>
              <div className={classes.name}>{viewOf(insight.kind).title}</div>
              <div className={classes.muted}>
                {format.dateTime(insight.computed_at)}
                {insight.version > 0 && `, version ${format.integer(insight.version)} of the method`}
              </div>
              <p>{insight.method}</p>
            </div>
          ))}
        </div>
      </Popout>
    </span>
  );
}
