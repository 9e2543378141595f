import type { ServiceOutput } from '@/shared/api/gen/model';
import { humanise } from '@/shared/format/format';
import { UpBadge } from '@/shared/ui/Badges';
import { Panel } from '@/shared/ui/Panel';

import classes from './system.module.css';

const NAMES: Record<string, string> = {
  database: 'Database',
  storage: 'Raw files',
  queues: 'Queues',
  'worker-etl': 'Workers: clean and load',
  'worker-ml': 'Workers: insights',
  relay: 'Relay',
};

export function Services({ services }: { services: ServiceOutput[] }) {
  return (
    <Panel title="Services" lead="What the platform needs to work.">
      <ul className={classes.services}>
        {services.map(({ name, status, detail }) => (
          <li key={name} className={classes.service}>
            <div className={classes.top}>
              {NAMES[name] ?? humanise(name)}
              <UpBadge isUp={status === 'ok'} />
            </div>
            <p>{detail}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
