import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['src/**/__tests__/*.spec.{ts,tsx}'],
    setupFiles: ['src/__tests__/setup.ts'],
    // JupyterLab's packages are ES modules without saying so, which Node cannot load by itself.
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//, /@lumino\//] } },
    // The Lumino widgets that they import reach for the document when they are loaded.
    pool: 'threads',
    maxWorkers: 2,
    minWorkers: 1
  }
});
