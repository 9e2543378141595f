import { TextInput } from '@mantine/core';

import { Icon } from './icons';

interface SearchFieldProps {
  /** What is searched, for those who do not see where the field stands. */
  label: string;
  value: string | undefined;
  /** Nothing typed is undefined, so that the address does not keep an empty word. */
  onSearch: (value: string | undefined) => void;
  className?: string;
}

export function SearchField({ label, value, onSearch, className }: SearchFieldProps) {
  return (
    <TextInput
      aria-label={label}
      placeholder="Search"
      size="sm"
      leftSection={<Icon name="search" size={15} />}
      value={value ?? ''}
      onChange={(event) => onSearch(event.currentTarget.value || undefined)}
      className={className}
    />
  );
}
