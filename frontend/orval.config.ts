import { defineConfig } from 'orval';

export default defineConfig({
  aetherflow: {
    input: '../docs/openapi.json',
    output: {
      target: 'src/shared/api/gen/client.ts',
      schemas: 'src/shared/api/gen/model',
      client: 'fetch',
      clean: true,
      override: {
        mutator: { path: 'src/shared/api/request.ts', name: 'request' },
        fetch: { includeHttpResponseReturnType: false },
      },
    },
  },
});
