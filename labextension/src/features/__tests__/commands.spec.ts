import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCatalog, aDetail, aFeature } from '../../__tests__/features';
import { aStatus, aSweep } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { FeatureView } from '../../api/types';
import { CommandIDs } from '../../commands';
import type { ProjectStore } from '../../projects/store';
import { Targets } from '../../targets';
import { addFeatureCommands } from '../commands';

const SWEEP = aSweep({ id: 's9', kind: 'run', total: 1 });

describe('the commands of features', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let targets: Targets;
  let commands: CommandRegistry;
  const insert = vi.fn<(lines: string) => Promise<void>>();
  const openRun = vi.fn();

  const point = (given: Partial<FeatureView> = {}): void => {
    targets.point({ kind: 'feature', store, feature: aFeature(given) });
  };
  const dialog = (): HTMLElement | null =>
    document.querySelector<HTMLElement>('.jp-Dialog');
  const type = (selector: string, text: string): void => {
    const field = dialog()?.querySelector<HTMLInputElement>(selector);
    const { set } =
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value') ??
      {};
    set?.call(field, text);
    field?.dispatchEvent(new InputEvent('input', { bubbles: true }));
  };
  const accept = (): void => {
    dialog()
      ?.querySelector<HTMLElement>('.jp-Dialog-footer .jp-mod-accept')
      ?.click();
  };

  beforeEach(() => {
    vi.clearAllMocks();
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /features', aCatalog())
      .on('GET /features/flights.delay', aDetail())
      .on('POST /feature-runs/compute', SWEEP)
      .on('POST /feature-runs/check', SWEEP)
      .on('POST /feature-runs/drift', SWEEP)
      .on('POST /feature-runs/join', SWEEP)
      .on('POST /feature-exports', {
        format: 'feast',
        folder: 'out',
        files: ['a.py', 'b.yaml'],
        notes: ['flights.hour was left out.']
      });
    store = aStore(server);
    targets = new Targets();
    commands = new CommandRegistry();
    commands.addCommand(CommandIDs.openRun, { execute: openRun });
    addFeatureCommands({
      commands,
      targets,
      projects: { current: store, retry: () => Promise.resolve() },
      trans: nullTranslator.load(''),
      insert
    });
  });
  afterEach(() => {
    store.dispose();
  });

  it.each([
    [CommandIDs.computeFeature, 'compute', {}],
    [CommandIDs.serveFeature, 'compute', { online: true }],
    [CommandIDs.forceFeature, 'compute', { force: true }],
    [CommandIDs.checkFeature, 'check', {}]
  ])('%s queues a run and opens it', async (id, path, more) => {
    point();
    const done = commands.execute(id);
    // As when the menu has closed.
    targets.release();
    await done;
    expect(server.last(`POST /feature-runs/${path}`).body).toEqual({
      features: ['flights.delay'],
      ...more
    });
    expect(store.sweep('s9')).not.toBeNull();
    expect(openRun).toHaveBeenCalledOnce();
    expect(targets.current).toMatchObject({ kind: 'sweep', sweep: SWEEP });
  });

  it('computes and checks all features', async () => {
    await commands.execute(CommandIDs.computeFeatures);
    expect(server.last('POST /feature-runs/compute').body).toEqual({});
    await commands.execute(CommandIDs.checkFeatures);
    expect(server.last('POST /feature-runs/check').body).toEqual({});
    expect(openRun).toHaveBeenCalledTimes(2);
  });

  it('inserts the lines that fetch a feature', async () => {
    point();
    await commands.execute(CommandIDs.insertFeature);
    expect(insert).toHaveBeenCalledWith(aDetail().snippet);
    expect(openRun).not.toHaveBeenCalled();
  });

  it('does not compute in advance what depends on the request', () => {
    point({ on_demand: true, state: null });
    expect(commands.isVisible(CommandIDs.computeFeature)).toBe(false);
    expect(commands.isVisible(CommandIDs.serveFeature)).toBe(false);
    expect(commands.isVisible(CommandIDs.checkFeature)).toBe(true);
    point({ timestamp: null });
    expect(commands.isVisible(CommandIDs.backfillFeature)).toBe(false);
  });

  it('asks which one where none has the focus, and says so by its label', async () => {
    const id = CommandIDs.computeFeature;
    expect(commands.label(id)).toBe('Compute Feature…');
    const done = commands.execute(id);
    await vi.waitFor(() => {
      expect(dialog()?.textContent).toContain('flights.delay');
    });
    accept();
    await done;
    expect(server.last('POST /feature-runs/compute').body).toEqual({
      features: ['flights.delay']
    });
    point();
    expect(commands.label(id)).toBe('Compute Feature');
  });

  it('asks for the span of time, in UTC', async () => {
    point();
    const done = commands.execute(CommandIDs.backfillFeature);
    await vi.waitFor(() => {
      expect(dialog()?.querySelectorAll('input')).toHaveLength(2);
    });
    type('input[id$="-since"]', '2013-01-01');
    type('input[id$="-until"]', '2013-01-02 06:30');
    accept();
    await done;
    expect(server.last('POST /feature-runs/compute').body).toEqual({
      features: ['flights.delay'],
      since: '2013-01-01T00:00:00Z',
      until: '2013-01-02T06:30Z',
      backfill: false
    });
  });

  it('compares with the champion unless another version is chosen', async () => {
    const model = {
      name: 'late',
      aliases: [],
      feature_version: 'v1',
      changed: false
    };
    server.on(
      'GET /features/flights.delay',
      aDetail({
        models: [
          { ...model, version: 4 },
          { ...model, version: 3, aliases: ['champion'] }
        ]
      })
    );
    point();
    const done = commands.execute(CommandIDs.driftFeature);
    await vi.waitFor(() => {
      expect(dialog()?.querySelector('select')?.value).toBe('late/3');
    });
    type('input[id$="-allowed"]', '0.2');
    accept();
    await done;
    expect(server.last('POST /feature-runs/drift').body).toEqual({
      features: ['flights.delay'],
      model: 'late',
      version: 3,
      allowed: 0.2
    });
  });

  it('tells if there is no model to compare with', async () => {
    const info = vi.spyOn(Notification, 'info').mockReturnValue('');
    point();
    await commands.execute(CommandIDs.driftFeature);
    expect(info.mock.lastCall?.[0]).toContain('No model was trained with');
    expect(openRun).not.toHaveBeenCalled();
  });

  it('joins features to the rows of a file', async () => {
    point();
    const done = commands.execute(CommandIDs.joinFeatures);
    await vi.waitFor(() => {
      expect(dialog()).not.toBeNull();
    });
    type('input[id$="-features"]', 'flights.delay,weather.wind  x.y');
    type('input[id$="-entities"]', 'rows.csv');
    type('input[id$="-output"]', 'train.parquet');
    accept();
    await done;
    expect(server.last('POST /feature-runs/join').body).toEqual({
      features: ['flights.delay', 'weather.wind', 'x.y'],
      entities: 'rows.csv',
      timestamp: null,
      label: null,
      output: 'train.parquet'
    });
  });

  it('exports the catalog, and says what was left out', async () => {
    const success = vi.spyOn(Notification, 'success').mockReturnValue('');
    const done = commands.execute(CommandIDs.exportFeatures);
    await vi.waitFor(() => {
      expect(dialog()).not.toBeNull();
    });
    accept();
    await done;
    expect(success.mock.lastCall?.[0]).toBe(
      'Wrote 2 files to out. flights.hour was left out.'
    );
  });

  it('says why something was refused', async () => {
    const error = vi.spyOn(Notification, 'error').mockReturnValue('');
    const answer = refusal(409, 'not_readable', 'Ask ada.');
    server.on('POST /feature-runs/compute', answer);
    point();
    await commands.execute(CommandIDs.computeFeature);
    expect(error.mock.lastCall?.[0]).toBe('Ask ada.');
    expect(openRun).not.toHaveBeenCalled();
  });
});
