import type { DatasetsRowsParams } from '@/shared/api/gen/model';

import type { DatasetSearch } from './search';

/** The part of the address that says which rows, as the API asks for them: without a value, empty cells. */
export const whereOf = ({
  column,
  value,
}: Pick<DatasetSearch, 'column' | 'value'>): Pick<DatasetsRowsParams, 'column' | 'value'> =>
  column === undefined ? {} : { column, value: value ?? '' };
