import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';

import { toCsv } from './csv';
import { fileName } from './files';
import { day, flattened, sheetOf, type Sheet } from './sheet';
import { sheetNames, toXlsx } from './xlsx';

const sheet: Sheet = {
  name: 'Payments',
  header: ['Id', 'Note', 'Amount', 'Day', 'Worth'],
  rows: [
    ['T-1', '=HYPERLINK("http://evil")', -12.5, day('2026-03-31'), true],
    ['T-2', 'a "b", c\nd', 1e-7, null, false],
  ],
};

describe('CSV', () => {
  test('holds raw values as any program reads them', () => {
    expect(toCsv(sheet)).toBe(
      '\uFEFFId,Note,Amount,Day,Worth\r\n' +
        'T-1,"\'=HYPERLINK(""http://evil"")",-12.5,2026-03-31,true\r\n' +
        'T-2,"a ""b"", c\nd",1e-7,,false\r\n',
    );
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '  =1', '\uFF1D1', "'=1"])(
    'lets no spreadsheet run the text %j',
    (text) => {
      const [, line = ''] = toCsv({ name: 'x', header: ['h'], rows: [[text]] }).split('\r\n', 2);
      expect(line.replace(/^"/, '').startsWith("'")).toBe(true);
    },
  );

  test.each(['a;=1', 'a|@x', 'a\n=1', 'a\t+1', 'a\r\n- 1', "a;'=1"])(
    'nor one that separates otherwise: %j',
    (text) => {
      const written = toCsv({ name: 'x', header: ['h'], rows: [[text]] });
      expect(written.split(/[;|\t\r\n]/).filter((cell) => /^ *[=+\-@]/.test(cell))).toEqual([]);
    },
  );

  test.each(['a = b', "it's", 'x - y', '5;6', 'one\ntwo'])('leaves the text %j as it is', (text) => {
    expect(toCsv({ name: 'x', header: ['h'], rows: [[text]] })).toContain(text);
  });

  test('makes no text of a negative number', () => {
    expect(toCsv({ name: 'x', header: ['h'], rows: [[-3]] })).toContain('\r\n-3\r\n');
  });
});

describe('a workbook', () => {
  const opened = async (sheets: Sheet[]) => {
    const files = unzipSync(new Uint8Array(await (await toXlsx(sheets)).arrayBuffer()));
    const read = (name: string) => strFromU8(files[name] ?? new Uint8Array());
    return { files: Object.keys(files), read };
  };

  test('has typed cells: numbers, days and truths are what they are, text is never a formula', async () => {
    const { read } = await opened([sheet]);
    const cells = read('xl/worksheets/sheet1.xml');
    expect(cells).toMatch(/<c r="C2"[^>]*><v>-12.5<\/v>/);
    // 31 March 2026 in days since 1900, as Excel counts.
    expect(cells).toMatch(/<c r="D2"[^>]*><v>46112<\/v>/);
    expect(cells).toMatch(/<c r="E2"[^>]*t="b"[^>]*><v>1<\/v>/);
    expect(cells).not.toContain('<f>');
    expect(read('xl/sharedStrings.xml') + cells).toContain('=HYPERLINK(');
  });

  test('has a sheet for each, under names that a spreadsheet allows', async () => {
    const { files, read } = await opened([sheet, { ...sheet, name: 'payments' }]);
    expect(files).toContain('xl/worksheets/sheet2.xml');
    expect(read('xl/workbook.xml')).toContain('name="payments 2"');
    expect(sheetNames(['a/b:c', '', 'x'.repeat(40), 'X'.repeat(31)])).toEqual([
      'a b c',
      'Sheet',
      'x'.repeat(31),
      `${'X'.repeat(29)} 2`,
    ]);
  });

  test('leaves out what XML cannot hold, and cuts what no cell can', async () => {
    const { read } = await opened([
      { name: 'x', header: ['h'], rows: [['a\u0001b'], ['y'.repeat(40_000)], [NaN]] },
    ]);
    const text = read('xl/sharedStrings.xml') + read('xl/worksheets/sheet1.xml');
    expect(text).toContain('ab');
    expect(text).toContain('y'.repeat(32_767));
    expect(text).not.toContain('y'.repeat(32_768));
    expect(text).not.toContain('NaN');
  });
});

describe('a sheet', () => {
  test('of columns takes their values', () => {
    const columns = [{ header: 'Twice', value: (row: { n: number }) => row.n * 2 }];
    expect(sheetOf('s', columns, [{ n: 2 }])).toEqual({ name: 's', header: ['Twice'], rows: [[4]] });
  });

  test('of any rows has a column for each field, also of those that lie deeper', () => {
    const rows = [
      { txn_id: '1', at: '2026-03-31', evidence: { median: 3 }, reasons: [{ code: 'a', message: 'Far.' }] },
      { txn_id: '2', ids: ['x', 'y'], evidence: { median: null } },
    ];
    expect(flattened('s', rows)).toEqual({
      name: 's',
      header: ['Txn id', 'At', 'Evidence median', 'Reasons', 'Ids'],
      rows: [
        ['1', day('2026-03-31'), 3, 'Far.', null],
        ['2', null, null, null, 'x; y'],
      ],
    });
  });
});

test('a file is named by whose it is, what it is and the reader’s day', () => {
  const at = new Date(2026, 2, 31, 23, 30);
  expect(fileName(['supply_chain', 'Stock-out risk', undefined, 'Été'], 'csv', at)).toBe(
    'supply_chain-stock-out-risk-ete-2026-03-31.csv',
  );
});
