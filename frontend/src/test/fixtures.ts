/** Answers of the API as the tests need them: small, typed by the contract, changed by the test where it matters. */
import type {
  ConfigOutput,
  DatasetOutput,
  JobOutput,
  RejectOutput,
  SchemaOutput,
  SignedInOutput,
  StageOutput,
  UserOutput,
} from '@/shared/api/gen/model';

export { boards, forecast, spendItem, stockItem } from './boardFixtures';

export const ada: UserOutput = {
  id: '0b8f9d6e-4b8e-4d9a-9a43-0e7d8f2f6c11',
  email: 'ada@example.com',
  full_name: 'Ada Novak',
  department: 'sales',
  departments: ['sales'],
  role: 'member',
  approval: 'approved',
  created_at: '2026-03-31T09:15:00Z',
};

export const admin: UserOutput = {
  ...ada,
  id: '7d0c6d5e-3f49-4c7b-9d5a-1c2b3a4d5e6f',
  email: 'root@example.com',
  full_name: 'Rita Root',
  department: null,
  departments: ['sales', 'supply_chain', 'finance'],
  role: 'admin',
};

export const config: ConfigOutput = {
  registration_policy: 'open',
  departments: [
    { slug: 'sales', label: 'Sales' },
    { slug: 'supply_chain', label: 'Supply chain' },
    { slug: 'finance', label: 'Finance' },
  ],
  password_rules: [
    {
      code: 'user-attribute-similarity',
      text: 'Your password can’t be too similar to your other personal information.',
      least_characters: null,
    },
    {
      code: 'minimum-length',
      text: 'Your password must contain at least 10 characters.',
      least_characters: 10,
    },
    {
      code: 'common-password',
      text: 'Your password can’t be a commonly used password.',
      least_characters: null,
    },
    { code: 'numeric-password', text: 'Your password can’t be entirely numeric.', least_characters: null },
  ],
  direct_upload: false,
};

export const signedIn = (user: UserOutput = ada, access = 'access-1'): SignedInOutput => ({
  access,
  expires_in: 600,
  user,
});

export const rows = (read = 0, loaded = 0, rejected = 0, duplicate = 0) => ({
  read,
  loaded,
  rejected,
  duplicate,
});

export const stage = (given: Partial<StageOutput> = {}): StageOutput => ({
  stage: 'etl',
  status: 'succeeded',
  attempts: 1,
  max_attempts: 3,
  dead_lettered: false,
  progress: { done: 0, total: 0, unit: 'rows' },
  rows: rows(),
  started_at: '2026-04-01T08:00:00Z',
  finished_at: '2026-04-01T08:00:02Z',
  duration_ms: 2000,
  error: null,
  ...given,
});

export const job = (given: Partial<JobOutput> = {}): JobOutput => ({
  id: '3f0b8a52-2f0e-4a39-8f0a-6f1f5a1f0001',
  dataset_id: '9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1001',
  dataset_name: 'March sales',
  department: 'sales',
  cause: 'upload',
  status: 'succeeded',
  partial: false,
  stage: 'ml',
  created_at: '2026-04-01T08:00:00Z',
  finished_at: '2026-04-01T08:00:05Z',
  duration_ms: 5000,
  requested_by: 'Ada Novak',
  request_id: 'req-1',
  stages: [stage({ rows: rows(1000, 1000) }), stage({ stage: 'ml', duration_ms: 3000 })],
  ...given,
});

export const dataset = (given: Partial<DatasetOutput> = {}): DatasetOutput => ({
  id: '9c1e7c1a-5d53-4b5e-9a55-6f1f5a1f1001',
  department: 'sales',
  name: 'March sales',
  description: '',
  filename: 'march.csv',
  size_bytes: 812_345,
  sha256: 'a'.repeat(64),
  on_error: 'quarantine',
  max_reject_share: 0.2,
  read_options: {},
  uploaded_by: { id: ada.id, full_name: ada.full_name },
  uploaded_at: '2026-04-01T08:00:00Z',
  loaded_at: '2026-04-01T08:00:02Z',
  rows: rows(1000, 983, 15, 2),
  changes: { new: 900, changed: 23, unchanged: 60, superseded: 83 },
  rejects: { rows: 17, faults: 17, listed_rows: 17, listed: 17, limit: 100_000, cut: false },
  rejects_by_code: { 'type-error': 11, 'constraint-error': 4, 'unique-error': 2 },
  rejects_by_column: [
    { column: 'quantity', label: 'Qty', code: 'type-error', count: 11 },
    { column: 'date', label: 'Date', code: 'constraint-error', count: 4 },
    { column: null, label: null, code: 'unique-error', count: 2 },
  ],
  corrects: null,
  corrections: [],
  corrected: 0,
  reading: {
    encoding: 'utf-8',
    delimiter: ',',
    decimal: '.',
    decimal_assumed: false,
    date_order: 'iso',
    date_order_assumed: false,
    summary: 'utf-8, comma, decimal point, ISO dates',
    header: ['Transaction ID', 'Date', 'Qty'],
    mapping: { 'Transaction ID': 'transaction_id', Date: 'date', Qty: 'quantity' },
    unknown_columns: ['Cashier'],
    missing_optional: ['region'],
  },
  ...given,
});

export const schema: SchemaOutput = {
  department: 'sales',
  label: 'Sales',
  table: 'sales transactions',
  description: 'One row is one product on one receipt.',
  natural_key: ['transaction_id', 'sku'],
  max_reject_share: 0.2,
  columns: [
    {
      name: 'transaction_id',
      kind: 'text',
      required: true,
      nullable: false,
      description: 'The receipt or invoice number. Several rows may share it, one per product.',
      example: 'T-10023',
      max_length: 64,
      minimum: null,
      maximum: null,
      choices: [],
      aliases: ['invoice no', 'order id', 'receipt', 'transaction'],
    },
    {
      name: 'date',
      kind: 'date',
      required: true,
      nullable: false,
      description: 'The day of the sale. 2026-03-31 is safest; 31/03/2026 is understood too.',
      example: '2026-03-30',
      max_length: null,
      minimum: null,
      maximum: null,
      choices: [],
      aliases: ['order date', 'sale date'],
    },
    {
      name: 'quantity',
      kind: 'integer',
      required: true,
      nullable: false,
      description: 'Units sold, a whole number. A refund is its own row with a negative quantity.',
      example: '2',
      max_length: null,
      minimum: -1_000_000,
      maximum: 1_000_000,
      choices: [],
      aliases: ['qty'],
    },
    {
      name: 'discount_pct',
      kind: 'number',
      required: false,
      nullable: true,
      description: 'The discount in percent, from 0 to 100. Empty means no discount.',
      example: '15',
      max_length: null,
      minimum: 0,
      maximum: 100,
      choices: [],
      aliases: ['discount'],
    },
  ],
};

export const rejects: RejectOutput[] = [
  {
    line: 17,
    column: 'Qty',
    value: 'three',
    code: 'type-error',
    message: '“three” is not a whole number.',
    hint: 'Write 3.',
  },
  {
    line: 240,
    column: 'discount',
    value: '140',
    code: 'constraint-error',
    message: '140 is above the maximum of 100.',
    hint: 'Write the discount in percent, from 0 to 100.',
  },
  {
    line: 311,
    column: 'Date',
    value: null,
    code: 'missing-cell',
    message: 'The date is missing.',
    hint: 'Fill it in.',
  },
];

export const problem = (status: number, code: string, detail: string, more: object = {}) => ({
  type: `urn:aetherflow:problem:${code}`,
  title: 'Problem',
  status,
  detail,
  code,
  errors: [],
  request_id: 'req-42',
  ...more,
});
