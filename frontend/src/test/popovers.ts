/**
 * The part of the browsers' popovers that jsdom lacks: a button opens and closes its own, Escape closes it and gives the
 * focus back, both are announced.
 */
const OPEN = 'data-open';

const announce = (panel: HTMLElement, type: 'beforetoggle' | 'toggle', newState: 'open' | 'closed'): void => {
  panel.dispatchEvent(Object.assign(new Event(type), { newState }));
};

function turn(panel: HTMLElement, newState: 'open' | 'closed'): void {
  const isOpen = newState === 'open';
  const hadFocus = panel.contains(document.activeElement);
  announce(panel, 'beforetoggle', newState);
  panel.toggleAttribute(OPEN, isOpen);
  // Its own style sheet hides them.
  panel.style.display = isOpen ? 'block' : '';
  announce(panel, 'toggle', newState);
  if (!isOpen && hadFocus) document.querySelector<HTMLElement>(`[popovertarget="${panel.id}"]`)?.focus();
}

export function standInForPopovers(): void {
  HTMLElement.prototype.hidePopover = function hidePopover() {
    if (this.hasAttribute(OPEN)) turn(this, 'closed');
  };
  document.addEventListener('click', ({ target }) => {
    const button = (target as Element).closest('button[popovertarget]:not(:disabled)');
    const panel = document.getElementById(button?.getAttribute('popovertarget') ?? '');
    if (panel) turn(panel, panel.hasAttribute(OPEN) ? 'closed' : 'open');
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    document.querySelectorAll<HTMLElement>(`[${OPEN}]`).forEach((panel) => panel.hidePopover());
  });
}
