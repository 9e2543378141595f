import { Select } from '@mantine/core';
import { useNavigate, useRouterState } from '@tanstack/react-router';

import { useDepartmentLabel } from '@/shared/departments';
import { Icon } from '@/shared/ui/icons';

import { useDepartment } from './department';
import classes from './Shell.module.css';

/** Whose data this is; for those who see several departments, the way from one to the other. */
export function DepartmentBadge() {
  const { shown, department, departments, isAcross } = useDepartment();
  const label = useDepartmentLabel();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  if (departments.length < 2) {
    return (
      <span className={classes.badge} title="Your department">
        <Icon name="building" size={15} />
        {label(department)}
      </span>
    );
  }
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
      w={178}
      leftSection={<Icon name="building" size={15} />}
      data={isAcross ? [{ value: '', label: 'All departments' }, ...data] : data}
      value={shown ?? (isAcross ? '' : department)}
      onChange={choose}
    />
  );
}
