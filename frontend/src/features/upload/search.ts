import { text } from '@/shared/router/search';

/** `corrects`: the dataset whose rejected lines, mended, are in the file. */
export interface UploadSearch {
  department?: string;
  corrects?: string;
}

export const uploadSearch = (raw: Record<string, unknown>): UploadSearch => ({
  department: text(raw, 'department'),
  corrects: text(raw, 'corrects'),
});
