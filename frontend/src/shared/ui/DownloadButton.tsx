import { Button, type ButtonProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';

import { download } from '@/shared/api/download';
import { asProblem } from '@/shared/api/problem';

import { Icon } from './icons';

interface DownloadButtonProps extends ButtonProps {
  url: string;
  /** Where the server gives the file no name. */
  filename: string;
  children: string;
}

export function DownloadButton({ url, filename, children, ...rest }: DownloadButtonProps) {
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      await download(url, filename);
    } catch (error) {
      const problem = asProblem(error);
      notifications.show({ color: 'red', title: problem.message, message: problem.hint });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      variant="default"
      leftSection={<Icon name="download" size={16} />}
      loading={busy}
      onClick={() => void start()}
      {...rest}
    >
      {children}
    </Button>
  );
}
