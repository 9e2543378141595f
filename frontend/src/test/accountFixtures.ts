import type { SessionOutput, SystemStatusOutput } from '@/shared/api/gen/model';

export const here: SessionOutput = {
  id: '11111111-0000-4000-8000-000000000001',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  ip: '192.0.2.7',
  created_at: '2026-04-01T08:00:00Z',
  last_used_at: '2026-04-01T08:30:00Z',
  expires_at: '2026-04-15T08:30:00Z',
  current: true,
};

export const phone: SessionOutput = {
  ...here,
  id: '11111111-0000-4000-8000-000000000002',
  user_agent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
  ip: '2001:db8::1',
  last_used_at: '2026-04-01T09:00:00Z',
  current: false,
};

export const script: SessionOutput = {
  ...here,
  id: '11111111-0000-4000-8000-000000000003',
  user_agent: 'python-requests/2.32.3',
  ip: null,
  current: false,
};

export const healthy: SystemStatusOutput = {
  read_at: '2026-04-01T08:30:00Z',
  services: [
    { name: 'database', status: 'ok', detail: 'answers' },
    { name: 'storage', status: 'ok', detail: 'answers' },
    { name: 'queues', status: 'ok', detail: '4 queues answer' },
    { name: 'worker-etl', status: 'ok', detail: '1 at work' },
    { name: 'worker-ml', status: 'down', detail: 'No worker for the ml queue gives a sign of life.' },
    { name: 'relay', status: 'ok', detail: '1 at work' },
  ],
  queues: {
    problem: null,
    items: [
      {
        queue: 'etl',
        name: 'aetherflow-etl',
        visible: 3,
        in_flight: 1,
        delayed: 0,
        dead_letters: 2,
        oldest_seconds: 190,
      },
      {
        queue: 'ml',
        name: 'aetherflow-ml',
        visible: 0,
        in_flight: 0,
        delayed: 0,
        dead_letters: 0,
        oldest_seconds: 0,
      },
    ],
  },
  outbox: {
    problem: null,
    items: [
      { stage: 'etl', waiting: 4, lag_seconds: 75 },
      { stage: 'ml', waiting: 0, lag_seconds: 0 },
    ],
  },
  jobs: {
    problem: null,
    items: [
      { department: 'sales', queued: 4, processing: 1 },
      { department: 'finance', queued: 0, processing: 0 },
    ],
  },
  workers: {
    problem: null,
    items: [
      {
        name: 'etl@host-1',
        alive: true,
        queues: ['etl'],
        slots: 2,
        started_at: '2026-04-01T06:00:00Z',
        beat_at: '2026-04-01T08:29:58Z',
        tasks: [
          {
            job_id: '3f0b8a52-2f0e-4a39-8f0a-6f1f5a1f0001',
            dataset_name: 'March sales',
            department: 'sales',
            stage: 'etl',
            since: '2026-04-01T08:29:00Z',
          },
        ],
      },
      {
        name: 'ml@host-2',
        alive: false,
        queues: ['ml'],
        slots: 1,
        started_at: '2026-04-01T06:00:00Z',
        beat_at: '2026-04-01T08:01:00Z',
        tasks: [],
      },
    ],
  },
  failures: {
    problem: null,
    items: [
      {
        code: 'missing-label',
        stage: 'etl',
        count: 12,
        dead_lettered: 9,
        departments: ['finance', 'sales'],
        latest_at: '2026-04-01T08:10:00Z',
      },
    ],
  },
  failures_since: '2026-03-31T08:30:00Z',
  console: '/behind/',
};
