import { useId, useRef, useState, type FocusEvent, type ReactNode, type ToggleEvent } from 'react';

import classes from './Popout.module.css';

interface PopoutProps {
  /** What it is called, for whoever hears it. */
  name: string;
  /** The button that opens it, with what is given spread on it. */
  button: (opens: { popoverTarget: string; 'aria-haspopup': 'dialog' }) => ReactNode;
  /** In px; never wider than the screen. */
  width?: number;
  children: ReactNode | ((close: () => void) => ReactNode);
}

/**
 * What a button opens beside itself. The browser's own popover: it opens, closes with Escape or a click elsewhere, gives
 * the focus back and stays beside its button without code of ours, so that a table with two in each row costs nothing.
 * Its content comes when it is first opened, and stays with what was typed into it.
 */
export function Popout({ name, button, width = 300, children }: PopoutProps) {
  const id = useId();
  const [opened, setOpened] = useState(false);
  const openedFrom = useRef<Element | null>(null);
  const close = () => document.getElementById(id)?.hidePopover();
  const opens = ({ newState }: ToggleEvent<HTMLDivElement>) => {
    if (newState !== 'open') return;
    openedFrom.current = document.activeElement;
    setOpened(true);
  };
  // Told a moment after it opened: whoever has gone on by keyboard since is not taken back.
  const toggled = ({ newState, currentTarget }: ToggleEvent<HTMLDivElement>) => {
    if (newState === 'open' && document.activeElement === openedFrom.current)
      currentTarget.focus({ preventScroll: true });
  };
  // Whoever goes on by keyboard must see where they are, which may be under it. Its own button never is, and closes it
  // by itself: closed beforehand, a click on it would open it again.
  const left = ({ relatedTarget, currentTarget }: FocusEvent<HTMLDivElement>) => {
    const stays = relatedTarget === null || currentTarget.contains(relatedTarget);
    if (!stays && relatedTarget.getAttribute('popovertarget') !== id) currentTarget.hidePopover();
  };
  return (
    <>
      {button({ popoverTarget: id, 'aria-haspopup': 'dialog' })}
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={name}
        tabIndex={-1}
        className={classes.panel}
        style={{ width }}
        onBeforeToggle={opens}
        onToggle={toggled}
        onBlur={left}
      >
        {opened && (typeof children === 'function' ? children(close) : children)}
      </div>
    </>
  );
}

interface EntryProps {
  icon?: ReactNode;
  onClick: () => void;
  children: ReactNode;
}

/** One of several things to do in a popout, over its whole width. */
export function PopoutEntry({ icon, onClick, children }: EntryProps) {
  return (
    <button type="button" className={classes.entry} onClick={onClick}>
      {icon}
      {children}
    </button>
  );
}

/** What stands above the entries. */
export function PopoutLabel({ children }: { children: ReactNode }) {
  return <div className={classes.label}>{children}</div>;
}

/** The look of an entry, for a link that stands among them. */
export const entryClass = classes.entry;
