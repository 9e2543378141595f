import { describe, expect, test } from 'vitest';

import { formatsFor, humanise } from './format';

const english = formatsFor('en-GB');
const german = formatsFor('de-DE');

describe('numbers', () => {
  test('are written as the reader’s locale writes them', () => {
    expect(english.number(1234.5)).toBe('1,234.5');
    expect(german.number(1234.5)).toBe('1.234,5');
    expect(english.percent(0.087)).toBe('9%');
  });

  test('that are not known are a dash, and zero is zero', () => {
    expect(english.integer(null)).toBe('–');
    expect(english.percent(undefined)).toBe('–');
    expect(english.number(NaN)).toBe('–');
    expect(english.integer(0)).toBe('0');
  });
});

describe('a chance', () => {
  test.each([
    [0.9999, '>99%'],
    [1, '>99%'],
    [0, '<1%'],
    [0.62, '62%'],
    [null, '–'],
  ])('of %j is %s', (probability, text) => {
    expect(english.chance(probability)).toBe(text);
  });
});

describe('money', () => {
  test('has its currency and its cents', () => {
    expect(english.money(1234.5, 'EUR')).toBe('€1,234.50');
    expect(english.money(1234.5, null)).toBe('1,234.50');
  });

  test('in letters that are no currency is still shown', () => {
    expect(english.money(10, 'E1')).toBe('10.00 E1');
  });
});

describe('dates', () => {
  test('of a day are that day in every time zone', () => {
    expect(english.date('2026-03-31')).toBe('31 Mar 2026');
  });

  test('that are none are shown as they came', () => {
    expect(english.date('soon')).toBe('soon');
    expect(english.dateTime(null)).toBe('–');
  });

  test('can be told as a distance', () => {
    const now = Date.parse('2026-04-01T12:00:00Z');
    expect(english.ago('2026-04-01T11:55:00Z', now)).toBe('5 minutes ago');
    expect(german.ago('2026-03-31T11:00:00Z', now)).toBe('yesterday');
  });
});

test.each([
  [0, '0 byte'],
  [812, '812 byte'],
  [812_345, '812.3 kB'],
  [104_857_600, '104.9 MB'],
])('%i bytes are %s', (bytes, text) => {
  expect(english.bytes(bytes)).toBe(text);
});

test.each([
  [950, '950 ms'],
  [4_200, '4.2 s'],
  [190_000, '3 min 10 s'],
  [120_000, '2 min'],
])('%i ms are %s', (milliseconds, text) => {
  expect(english.duration(milliseconds)).toBe(text);
});

test('a name without a label is made readable', () => {
  expect(humanise('supply_chain')).toBe('Supply chain');
});
