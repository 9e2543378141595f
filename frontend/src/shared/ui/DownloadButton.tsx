import { Button, type ButtonProps } from '@mantine/core';
import { useState } from 'react';

import { download } from '@/shared/api/download';

import { Icon } from './icons';
import { tellProblem } from './tellProblem';

interface SaveButtonProps extends ButtonProps {
  /** Hands a file to the browser; what it rejects with is told. */
  save: () => Promise<unknown>;
  children: string;
}

export function SaveButton({ save, children, ...rest }: SaveButtonProps) {
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      await save();
    } catch (error) {
      tellProblem(error);
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

interface DownloadButtonProps extends ButtonProps {
  url: string;
  /** Where the server gives the file no name. */
  filename: string;
  children: string;
}

export function DownloadButton({ url, filename, ...rest }: DownloadButtonProps) {
  return <SaveButton save={() => download(url, filename)} {...rest} />;
}
