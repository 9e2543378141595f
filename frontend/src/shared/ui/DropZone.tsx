import { useId, useState, type DragEvent } from 'react';

import { format } from '@/shared/format/format';

import classes from './DropZone.module.css';
import { Icon } from './icons';

interface DropZoneProps {
  file: File | null;
  onFile: (file: File) => void;
  accept: string;
  label: string;
  error?: string;
}

/** A file input as large as its frame: click, keyboard and drag all end at the browser's own control. */
export function DropZone({ file, onFile, accept, label, error }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const errorId = useId();
  const take = (files: FileList | null) => {
    const chosen = files?.[0];
    if (chosen) onFile(chosen);
  };
  const drag = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(isOver);
  };
  return (
    <div>
      <div
        className={[classes.zone, over ? classes.over : '', error ? classes.invalid : ''].join(' ')}
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={(event) => {
          drag(false)(event);
          take(event.dataTransfer.files);
        }}
      >
        <Icon name={file ? 'file' : 'upload'} size={30} className={classes.icon} />
        <span className={classes.main}>{file ? file.name : 'Drop a file here, or click to choose one'}</span>
        <span className={classes.sub}>
          {file
            ? `${format.bytes(file.size)} · click to choose another`
            : 'CSV, Excel, Parquet or JSON, also packed'}
        </span>
        <input
          type="file"
          className={classes.input}
          accept={accept}
          aria-label={label}
          aria-invalid={error !== undefined}
          aria-describedby={error ? errorId : undefined}
          onChange={(event) => {
            take(event.currentTarget.files);
            // The same file, mended and chosen again, must be a change too.
            event.currentTarget.value = '';
          }}
        />
      </div>
      {error && (
        <div id={errorId} className={classes.error}>
          {error}
        </div>
      )}
    </div>
  );
}
