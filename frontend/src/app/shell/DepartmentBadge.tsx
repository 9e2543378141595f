import { Skeleton } from '@mantine/core';
import { Suspense } from 'react';

import { useDepartmentLabel } from '@/shared/departments';
import { Icon } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';

import { SWITCHER_WIDTH, useDepartment } from './department';
import classes from './Shell.module.css';

const DepartmentSwitcher = lazyPart(() => import('./DepartmentSwitcher'), 'DepartmentSwitcher');

/** Whose data this is. */
export function DepartmentBadge() {
  const { department, departments } = useDepartment();
  const label = useDepartmentLabel();
  if (departments.length < 2) {
    return (
      <span className={classes.badge} title="Your department">
        <Icon name="building" size={15} />
        {label(department)}
      </span>
    );
  }
  return (
    <Suspense fallback={<Skeleton width={SWITCHER_WIDTH} height={36} />}>
      <DepartmentSwitcher />
    </Suspense>
  );
}
