import { Burger, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useLayoutEffect } from 'react';

import { useGoOn } from '@/features/auth/useGoOn';
import { resetUpload } from '@/features/upload/uploader';
import { useSession, useUser } from '@/shared/session/useSession';
import { Boundary } from '@/shared/ui/Boundary';
import { Icon, type IconName } from '@/shared/ui/icons';
import { lazyPart } from '@/shared/ui/lazyPart';
import { Logo, LogoMark } from '@/shared/ui/Logo';
import { useFetchedAhead } from '@/shared/ui/useFetchedAhead';
import { WhenWanted } from '@/shared/ui/WhenWanted';

import { DepartmentBadge } from './DepartmentBadge';
import { remember, useDepartment } from './department';
import { SchemeToggle } from './SchemeToggle';
import classes from './Shell.module.css';
import { UserMenu } from './UserMenu';

const SessionEnded = lazyPart(() => import('@/features/auth/SessionEnded'), 'SessionEnded');

/** The frame of every page behind the door. */
export function Shell() {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const gone = session.status === 'anonymous';
  useEffect(() => {
    if (!gone) return;
    // What the last user leaves behind must not meet the next one.
    client.clear();
    resetUpload();
    void navigate({ to: '/login' });
  }, [gone, client, navigate]);
  return session.status === 'active' || session.status === 'ended' ? <Frame /> : null;
}

function Frame() {
  const { status } = useSession();
  useGoOn();
  // For styles that hide what lies above the log-in of an ended session.
  useLayoutEffect(() => {
    document.documentElement.dataset.session = status;
  }, [status]);
  useFetchedAhead(SessionEnded);
  const [opened, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(close, [path, close]);
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <header className={classes.header}>
        <Group gap={6} wrap="nowrap">
          <Burger
            opened={opened}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
          />
          <Link to="/" className={classes.home} aria-label="AetherFlow, to the dashboard">
            <span className={classes.word}>
              <Logo size={30} />
            </span>
            <span className={classes.mark}>
              <LogoMark size={32} />
            </span>
          </Link>
        </Group>
        <Group gap={6} wrap="nowrap">
          <DepartmentBadge />
          <SchemeToggle />
          <UserMenu />
        </Group>
      </header>
      <div className={opened ? `${classes.side} ${classes.opened}` : classes.side}>
        <Navigation />
      </div>
      <main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.content}>
          <Boundary key={path}>
            <Outlet />
          </Boundary>
        </div>
      </main>
      <WhenWanted wanted={status === 'ended'}>
        <SessionEnded />
      </WhenWanted>
    </>
  );
}

function Navigation() {
  const { department, departments, shown } = useDepartment();
  const isAdmin = useUser().role === 'admin';
  const several = departments.length > 1;
  useEffect(() => {
    if (several && shown !== null && departments.includes(shown)) remember(shown);
  }, [several, departments, shown]);
  // Whoever sees several departments stays with the one they look at.
  const search = { department: (several && shown) || undefined };
  const entry = (icon: IconName, word: string) => (
    <>
      <Icon name={icon} size={19} />
      {word}
    </>
  );
  const look = {
    className: classes.link,
    activeProps: { className: classes.active, 'aria-current': 'page' as const },
  };
  return (
    <nav aria-label="Main">
      <ul className={classes.nav}>
        <li>
          <Link
            to="/dashboard/$department"
            params={{ department }}
            {...look}
            activeOptions={{ includeSearch: false }}
          >
            {entry('dashboard', 'Dashboard')}
          </Link>
        </li>
        <li>
          <Link to="/upload" search={search} {...look} activeOptions={{ includeSearch: false }}>
            {entry('upload', 'Upload')}
          </Link>
        </li>
        <li>
          <Link to="/jobs" search={search} {...look} activeOptions={{ includeSearch: false }}>
            {entry('jobs', 'Jobs')}
          </Link>
        </li>
        <li>
          <Link to="/data" search={search} {...look} activeOptions={{ includeSearch: false }}>
            {entry('data', 'Data')}
          </Link>
        </li>
        {isAdmin && (
          <li>
            <Link to="/system" {...look}>
              {entry('pulse', 'System')}
            </Link>
          </li>
        )}
      </ul>
    </nav>
  );
}
