import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// Who may import whom; the table in docs/architecture.md says the same in words.
const depConstraints = [
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'type:feature',
      'type:domain',
      'type:adapter',
      'type:port',
      'type:util',
      'type:contract',
      'type:data',
    ],
  },
  {
    sourceTag: 'type:feature',
    onlyDependOnLibsWithTags: ['type:domain', 'type:port', 'type:util', 'type:contract'],
    bannedExternalImports: ['typeorm', '@nestjs/typeorm'],
  },
  {
    sourceTag: 'type:domain',
    onlyDependOnLibsWithTags: ['type:domain', 'type:port', 'type:data', 'type:util'],
    bannedExternalImports: ['@nestjs/swagger'],
  },
  {
    sourceTag: 'type:adapter',
    onlyDependOnLibsWithTags: ['type:port', 'type:util'],
    bannedExternalImports: ['@nestjs/*', 'typeorm'],
  },
  ...['type:port', 'type:util', 'type:contract'].map((sourceTag) => ({
    sourceTag,
    onlyDependOnLibsWithTags: ['type:util', 'type:contract'],
    bannedExternalImports: ['@nestjs/*', 'typeorm'],
  })),
  { sourceTag: 'type:data', onlyDependOnLibsWithTags: ['type:util'] },
];

export default [
  { ignores: ['**/dist/**', '**/node_modules/**', '.data/**', '.nx/**'] },
  ...tseslint.configs.recommended,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'off',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='AbortSignal'][property.name='any']",
          message: 'In Node 20 it loses time limits, and grows signals that live on: use withTimeLimit or firstAbort.',
        },
        {
          selector: "MemberExpression[object.name='URL'][property.name='canParse']",
          message: 'It refuses names such as bücher.example in Node 20 and 22 once it is compiled: use parseUrl.',
        },
      ],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Libraries and controllers get typed options; only env.ts and the tools read the environment.
    files: ['apps/agent-controller/src/**/*.ts', 'libs/**/*.ts'],
    ignores: ['apps/agent-controller/src/env.ts', '**/*.spec.ts', '**/*.int-spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Read it in env.ts.' }],
    },
  },
  { files: ['tools/**', '**/*.mjs'], rules: { 'no-console': 'off' } },
  prettier,
];
