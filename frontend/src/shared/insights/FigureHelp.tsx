import { useQuery } from '@tanstack/react-query';

import { figureHelpQuery } from '@/shared/api/queries';
import { humanise } from '@/shared/format/format';
import { Icon } from '@/shared/ui/icons';
import { Popout } from '@/shared/ui/Popout';

import classes from './FigureHelp.module.css';

interface FigureHelpProps {
  /** The insight's kind, such as `stockout_risk`. */
  kind: string;
  /** The figure's name in the insight's data, such as `safety_stock`. */
  figure: string;
  /** What the page calls it, where that is not its name in words. */
  label?: string;
}

/** “What does this mean”, in the platform's own words. Nothing where it has none, so that no button leads nowhere. */
export function FigureHelp({ kind, figure, label }: FigureHelpProps) {
  const { data } = useQuery(figureHelpQuery);
  const meaning = data?.figures[kind]?.[figure];
  if (meaning === undefined) return null;
  const name = label ?? humanise(figure);
  return (
    <Popout
      name={name}
      button={(opens) => (
        <button {...opens} type="button" className={classes.button} aria-label={`What does “${name}” mean?`}>
          <Icon name="help" size={15} />
        </button>
      )}
    >
      <p className={classes.text}>
        <Marked text={meaning} />
      </p>
    </Popout>
  );
}

/** Names of other figures stand in backticks. */
function Marked({ text }: { text: string }) {
  return text.split('`').map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part));
}
