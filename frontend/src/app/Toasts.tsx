import { useNotifications } from '@mantine/notifications';

import { lazyPart } from '@/shared/ui/lazyPart';
import { WhenWanted } from '@/shared/ui/WhenWanted';

const ToastArea = lazyPart(() => import('./ToastArea'), 'ToastArea');

/** What is announced waits in its store until what shows it is there: most visits announce nothing. */
export function Toasts() {
  const { notifications } = useNotifications();
  return (
    <WhenWanted wanted={notifications.length > 0}>
      <ToastArea />
    </WhenWanted>
  );
}
