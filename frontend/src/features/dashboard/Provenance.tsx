import {} from '@mantine/core';

import type { DashboardOutput } from '@/shared/api/gen/model';
import { format, plural } from '@/shared/format/format';
import { TextLink } from '@/shared/ui/links';

import classes from './Provenance.module.css';

/** Where the numbers come from: the newest upload, its rows, and when they were computed. */
export function Provenance({ dashboard }: { dashboard: DashboardOutput }) {
  const { latest, count } = dashboard.datasets;
  return (
    <div className={classes.strip}>
      {latest && (
        <span>
          From{' '}
          <TextLink to="/data/$dataset" params={{ dataset: latest.id }} size="sm">
            {latest.name}
          </TextLink>
          {count > 1 && ` and ${plural(count - 1, 'earlier upload', 'earlier uploads')}`}
        </span>
      )}
      {latest && <span className="tabular">{plural(latest.rows, 'row', 'rows')} in it</span>}
      {latest && (
        <span title={format.dateTime(latest.uploaded_at)}>uploaded {format.ago(latest.uploaded_at)}</span>
      )}
      {dashboard.last_updated && (
        <span title={format.dateTime(dashboard.last_updated)}>
          computed {format.ago(dashboard.last_updated)}
        </span>
      )}
    </div>
  );
}
