import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** shared → features → app: a layer may use those before it, and no feature may use another. */
const forbid = (group, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ group, message, allowTypeImports: false }] }],
});

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/shared/api/gen'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  reactHooks.configs.flat['recommended-latest'] ?? reactHooks.configs['recommended-latest'],
  {
    languageOptions: { globals: globals.browser, parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A handler that starts something asynchronous is the usual case in a page.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/only-throw-error': ['error', { allow: ['Redirect', 'NotFoundError'] }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/shared/**'],
    rules: forbid(
      ['@/features/**', '@/app/**', '**/features/**', '**/app/**'],
      'shared may not use features or app.',
    ),
  },
  {
    files: ['src/features/**'],
    rules: forbid(
      [
        '@/app/**',
        '@/features/**',
        '**/app/**',
        '../account/*',
        '../auth/*',
        '../dashboard/*',
        '../data/*',
        '../jobs/*',
        '../system/*',
        '../upload/*',
        '../../../*',
      ],
      'A feature may use shared and its own files, not app and not another feature.',
    ),
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs', 'public/**'], rules: { 'no-var': 'off' } },
);
