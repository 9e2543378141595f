import { Pagination } from '@mantine/core';

interface PagerProps {
  pages: number;
  page: number;
  onPage: (page: number) => void;
}

const CONTROLS = { first: 'First', previous: 'Previous', next: 'Next', last: 'Last' } as const;

export function Pager({ pages, page, onPage }: PagerProps) {
  return (
    <Pagination
      size="sm"
      total={pages}
      value={page}
      onChange={onPage}
      getControlProps={(control) => ({ 'aria-label': `${CONTROLS[control]} page` })}
      getItemProps={(number) => ({ 'aria-label': `Page ${number}` })}
    />
  );
}
