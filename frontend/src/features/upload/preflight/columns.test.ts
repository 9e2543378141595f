import { expect, test } from 'vitest';

import { labelKey, matchHeader, shapeOf, type Column } from './columns';

const COLUMNS: Column[] = [
  { name: 'transaction_id', required: true, aliases: ['receipt'] },
  { name: 'quantity', required: true, aliases: ['qty', 'units'] },
  { name: 'region', required: false, aliases: [] },
];
const read = (header: string[], mapping = {}) =>
  Object.fromEntries(
    matchHeader(header, COLUMNS, mapping).labels.map(({ label, column, found }) => [label, column ?? found]),
  );

test.each([' Transaction-ID', 'transaction.id', 'TRANSACTION ID', 'transaction_id'])(
  '%j is the same label',
  (label) => {
    expect(labelKey(label)).toBe('transactionid');
  },
);

test('a mapping wins over names, a name over aliases', () => {
  expect(read(['Qty', 'quantity', 'Receipt'])).toEqual({
    Qty: 'unknown',
    quantity: 'quantity',
    Receipt: 'transaction_id',
  });
  expect(read(['Qty', 'quantity', 'Receipt'], { qty: 'quantity', receipt: null })).toEqual({
    Qty: 'quantity',
    quantity: 'unknown',
    Receipt: 'left out',
  });
});

test('two aliases of one column contradict each other', () => {
  expect(matchHeader(['qty', 'units', 'receipt'], COLUMNS, {}).repeated).toEqual(['quantity']);
  expect(matchHeader(['Sum', 'receipt', 'sum'], COLUMNS, {}).repeated).toEqual(['Sum', 'sum']);
});

test('what is missing comes with the label it may have been meant by', () => {
  expect(matchHeader(['Transaction no', 'Quantitiy', 'Regoin', 'Till'], COLUMNS, {}).missing).toEqual([
    { column: 'transaction_id', required: true, near: 'Transaction no' },
    { column: 'quantity', required: true, near: 'Quantitiy' },
    { column: 'region', required: false, near: 'Regoin' },
  ]);
});

test('the shape of a header does not hang on order or spelling', () => {
  expect(shapeOf(['Qty', 'Receipt No', ''])).toBe(shapeOf(['receipt_no', 'QTY']));
  expect(shapeOf(['Qty'])).not.toBe(shapeOf(['Qty', 'Region']));
});
