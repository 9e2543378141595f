import { Select } from '@mantine/core';
import { useNavigate, useRouterState } from '@tanstack/react-router';

import { useDepartmentLabel } from '@/shared/departments';
import { Icon } from '@/shared/ui/icons';

import { SWITCHER_WIDTH, useDepartment } from './department';

/** For those who see several departments, the way from one to the other. */
export function DepartmentSwitcher() {
  const { shown, department, departments, isAcross } = useDepartment();
  const label = useDepartmentLabel();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isList = path === '/jobs' || path === '/data';
  const choose = (slug: string | null) => {
    const chosen = slug || undefined;
    if (isList) {
      void navigate({ to: path, search: (before) => ({ ...before, department: chosen, page: undefined }) });
    } else if (path === '/upload') {
      void navigate({ to: '/upload', search: { department: chosen } });
    } else if (chosen) {
      void navigate({ to: '/dashboard/$department', params: { department: chosen }, search: {} });
    }
  };
  const data = departments.map((slug) => ({ value: slug, label: label(slug) }));
  return (
    <Select
      aria-label="Department"
      size="sm"
      w={SWITCHER_WIDTH}
      leftSection={<Icon name="building" size={15} />}
      data={isAcross ? [{ value: '', label: 'All departments' }, ...data] : data}
      value={shown ?? (isAcross ? '' : department)}
      onChange={choose}
    />
  );
}
