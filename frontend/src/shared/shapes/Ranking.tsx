import classes from './Ranking.module.css';

export interface Ranked {
  name: string;
  value: string;
  /** Of the whole, 0 to 1. */
  share: number;
  shareText: string;
}

interface RankingProps {
  items: Ranked[];
  onChoose?: (name: string) => void;
}

/** The largest first, with their share of the whole. */
export function Ranking({ items, onChoose }: RankingProps) {
  const largest = Math.max(...items.map((item) => item.share), 0.0001);
  return (
    <ol className={classes.list}>
      {items.map((item, place) => (
        <li key={item.name} className={classes.row}>
          <span className={classes.name}>
            <span className={classes.place}>{place + 1}</span>
            {onChoose ? (
              <button type="button" className={classes.button} onClick={() => onChoose(item.name)}>
                {item.name}
              </button>
            ) : (
              item.name
            )}
          </span>
          <span className={classes.value}>
            {item.value}
            <span className={classes.share}>{item.shareText}</span>
          </span>
          <span className={classes.track} aria-hidden="true">
            <span
              className={classes.fill}
              style={{ display: 'block', width: `${Math.max(1, (item.share / largest) * 100)}%` }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}
