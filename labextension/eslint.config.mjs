import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const react = {
  group: ['react', 'react-dom', 'react/*', 'react-dom/*'],
  message: 'Models know no React; render in a view.'
};
const widgets = {
  group: [
    '@lumino/widgets',
    '@jupyterlab/apputils',
    '@jupyterlab/ui-components'
  ],
  message: 'No widgets here; build them in a panel.'
};
const application = {
  group: ['@jupyterlab/application'],
  message: 'Only plugins know the application.'
};
const api = {
  regex: '^(\\./|(\\.\\./)+)api/',
  allowTypeImports: true,
  message: 'Views import types only; calls belong to models.'
};

const restrict = (files, ...patterns) => ({
  files,
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns }]
  }
});

export default tseslint.config(
  { ignores: ['lib', 'node_modules', 'coverage', 'src/api/schema.ts'] },
  js.configs.recommended,
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      a11y.flatConfigs.recommended
    ],
    plugins: { 'react-hooks': hooks },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true }
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      // Lumino's signals take a method and its `this`.
      '@typescript-eslint/unbound-method': 'off',
      // What the panel consists of is needed at once; forms and tabs are loaded when they open.
      'jupyter/prefer-lazy-imports': [
        'error',
        {
          ignoreImports: [
            '../api/client',
            '../artifacts/commands',
            '../api/endpoints',
            '../endpoints/commands',
            '../endpoints/model',
            '../features/asking',
            '../features/commands',
            '../features/model',
            '../features/template',
            '../models/commands',
            '../models/model',
            '../pipeline/commands',
            '../pipeline/model',
            '../pipeline/viewing',
            '../projects/*',
            '../runs/*',
            '../sidebar/*'
          ]
        }
      ],
      'no-console': 'error',
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300 }],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Names and texts are text nodes.' },
        { property: 'outerHTML', message: 'Names and texts are text nodes.' },
        {
          property: 'insertAdjacentHTML',
          message: 'Names and texts are text nodes.'
        }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Names and texts are text nodes.'
        },
        {
          selector: "Property[key.name='dangerouslySetInnerHTML']",
          message: 'Names and texts are text nodes.'
        }
      ]
    }
  },
  restrict(['src/**/*.{ts,tsx}'], application),
  restrict(['src/api/*.ts'], application, widgets, react),
  restrict(['src/**/*[mM]odel.ts'], application, widgets, react),
  restrict(['src/**/*.tsx'], application, api),
  {
    files: ['src/plugins/*.ts', 'src/index.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': 'off',
      'max-lines-per-function': ['error', { max: 60 }]
    }
  },
  {
    files: ['src/**/__tests__/*'],
    rules: {
      '@typescript-eslint/no-restricted-imports': 'off',
      'jupyter/command-described-by': 'off',
      'jupyter/no-untranslated-string': 'off',
      'no-console': 'off'
    }
  },
  prettier
);
