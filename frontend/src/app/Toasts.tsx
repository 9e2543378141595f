import { useNotifications } from '@mantine/notifications';

import { lazyPart } from '@/shared/ui/lazyPart';
import { useFetchedAhead } from '@/shared/ui/useFetchedAhead';
import { WhenWanted } from '@/shared/ui/WhenWanted';

const ToastArea = lazyPart(() => import('./ToastArea'), 'ToastArea');

/** What is announced waits in its store until what shows it is there. */
export function Toasts() {
  const { notifications } = useNotifications();
  useFetchedAhead(ToastArea);
  return (
    <WhenWanted wanted={notifications.length > 0}>
      <ToastArea />
    </WhenWanted>
  );
}
