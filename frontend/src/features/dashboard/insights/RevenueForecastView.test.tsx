import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { format } from '@/shared/format/format';
import { open } from '@/test/open';
import { forecast2, salesBoard } from '@/test/revenueFixtures';
import { answers, server } from '@/test/server';
import { user } from '@/test/user';

const pictureOf = vi.hoisted(() => vi.fn());
vi.mock('@/shared/charts/picture', () => ({ pictureOf }));
const save = vi.hoisted(() => vi.fn());
vi.mock('@/shared/api/download', async (original) => ({ ...(await original<object>()), save }));

const show = (given: Parameters<typeof salesBoard>[0] = {}) =>
  server.use(answers('/dashboards/sales', salesBoard(given)));
const card = (name: string) => screen.getByText(name, { selector: 'dt' }).parentElement as HTMLElement;
const ahead = forecast2.total?.forecast ?? [];
const whole = (value: number | undefined) => format.integer(value);

beforeEach(() => {
  save.mockClear();
  show();
});

test('begins with the whole department', async () => {
  open('/dashboard/sales');
  expect(await screen.findByText(/^Weekly revenue of All categories/)).toBeVisible();
  expect(screen.getByText(/In 8 tests on the past, the forecast was off by 6% on average/)).toBeVisible();
});

test('shows one category with its own error, and warns where the naive forecast does better', async () => {
  open('/dashboard/sales');
  await user.selectOptions(await screen.findByRole('combobox', { name: 'Category' }), 'Toys');
  expect(await screen.findByText(/^Weekly revenue of Toys/)).toBeVisible();
  expect(screen.getByText(/by only 19%: take it with care/)).toBeVisible();
  const toys = forecast2.categories.find(({ category }) => category === 'Toys')?.forecast ?? [];
  expect(card('Next week')).toHaveTextContent(whole(toys[0]?.revenue));
  expect(card('Next 4 weeks')).toHaveTextContent(whole(toys.reduce((sum, week) => sum + week.revenue, 0)));
  const moved = screen.getByRole('region', { name: 'What moved revenue: Toys' });
  // Without a year before there is nothing to choose.
  expect(within(moved).queryByRole('radio')).not.toBeInTheDocument();
});

test('looks as many weeks ahead as is asked for', async () => {
  const { router } = open('/dashboard/sales?revenue_forecast.as=table');
  const table = await screen.findByRole('table', { name: 'Weekly revenue of All categories' });
  expect(within(table).getAllByRole('cell', { name: 'Expected' })).toHaveLength(4);
  expect(within(table).getAllByRole('cell', { name: 'Sold' })).toHaveLength(26);
  await user.click(screen.getByRole('radio', { name: '2' }));
  await waitFor(() => expect(within(table).getAllByRole('cell', { name: 'Expected' })).toHaveLength(2));
  expect(within(table).getByRole('row', { name: new RegExp(whole(ahead[1]?.revenue)) })).toBeVisible();
  expect(screen.queryByText(whole(ahead[2]?.revenue))).not.toBeInTheDocument();
  expect(router.state.location.search).toMatchObject({ 'revenue_forecast.weeks': '2' });
});

test('shows the reason and no line where there is too little history', async () => {
  open('/dashboard/sales?revenue_forecast.category=Gift%20cards');
  expect(await screen.findByText('No forecast of Gift cards')).toBeVisible();
  expect(screen.getByText(/2 whole weeks, at least 8 are needed/)).toBeVisible();
  expect(screen.queryByText(/^Weekly revenue of/)).not.toBeInTheDocument();
});

test('says what moved revenue, against the weeks before and the year before', async () => {
  open('/dashboard/sales');
  const moved = await screen.findByRole('region', { name: 'What moved revenue: All categories' });
  expect(moved).toHaveTextContent('+4,000 (+4%) in the last 4 whole weeks');
  const table = within(moved).getByRole('table', { name: 'What moved the revenue of All categories' });
  expect(within(table).getByRole('row', { name: /Mix/ })).toHaveTextContent('-1,700');
  await user.click(within(moved).getByRole('radio', { name: 'Year before' }));
  await waitFor(() =>
    expect(within(table).getByRole('row', { name: /Volume/ })).toHaveTextContent('+25,000'),
  );
  expect(moved).toHaveTextContent('+24,000 (+30%)');
});

test('says how units answer to the price, with its interval, or why that is not known', async () => {
  open('/dashboard/sales');
  const answer = await screen.findByRole('region', { name: 'How sales answer to the price' });
  expect(answer).toHaveTextContent('10 % cheaper: +16 % units (between +13 and +20 %).');
  expect(answer).toHaveTextContent('Elasticity -1.42 (95 %: -1.71 to -1.13), from 84 products');
  expect(answer).toHaveTextContent('only 3 products had one');
  expect(answer).not.toHaveTextContent('may as well have no effect');
});

test('says so where the price may have no effect at all', async () => {
  const unsure = {
    value: -0.2,
    lower: -0.6,
    upper: 0.2,
    products: 12,
    observations: 90,
    note: '10 % cheaper: +2 %.',
  };
  show({ data: { ...forecast2, elasticity: { price: unsure, discount: unsure } } });
  open('/dashboard/sales');
  expect((await screen.findAllByText(/It may as well have no effect/))[0]).toBeVisible();
});

test('saves the chart under a name that says whose it is, which, and of when', async () => {
  pictureOf.mockResolvedValue(new Blob(['png']));
  open('/dashboard/sales?revenue_forecast.category=Home%20%26%20Garden');
  await user.click(await screen.findByRole('button', { name: 'Save as PNG' }));
  await waitFor(() =>
    expect(save).toHaveBeenCalledWith(expect.any(Blob), 'sales-revenue_forecast-Home_Garden-2026-04-01.png'),
  );
  expect(pictureOf).toHaveBeenCalledWith(
    expect.objectContaining({
      title: 'Weekly revenue of Home & Garden',
      option: expect.any(Object) as object,
    }),
  );
});

test('says so where the picture could not be made', async () => {
  pictureOf.mockRejectedValue(new Error('no canvas'));
  open('/dashboard/sales');
  await user.click(await screen.findByRole('button', { name: 'Save as PNG' }));
  expect(await screen.findByText(/The picture could not be made/)).toBeVisible();
  expect(save).not.toHaveBeenCalled();
});
