import { expect, test } from 'vitest';

import { deviceOf } from './device';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox 145 on Linux'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
    'Microsoft Edge 142 on Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
    'Safari 18 on iPhone',
  ],
  ['python-requests/2.32.3', 'A program (python-requests 2.32.3)'],
  ['curl', 'A program (curl)'],
  ['', 'An unknown program'],
  ['   ', 'An unknown program'],
  ['<script>alert(1)</script>', 'An unknown program'],
])('%s is %s', (userAgent, words) => {
  expect(deviceOf(userAgent).words).toBe(words);
});
