/** What is done with one feature. */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { FeatureView, SweepView } from '../api/types';
import { CommandIDs } from '../commands';
import type { IFeatureTarget } from '../targets';

/** A message stays for this long, in ms. */
const SHOWN = 8000;

export interface IAction {
  readonly id: string;
  readonly label: string;
  readonly caption: string;
  /** Whether it asks something in any case. */
  readonly asks?: boolean;
  readonly isPossible?: (feature: FeatureView) => boolean;
  /** Returns the run that does it, or null if there is none. */
  readonly act: (target: IFeatureTarget) => Promise<SweepView | null>;
}

export function insertion(
  insert: (lines: string) => Promise<void>,
  trans: TranslationBundle
): IAction {
  return {
    id: CommandIDs.insertFeature,
    label: trans.__('Insert Feature into Notebook'),
    caption: trans.__(
      'Put the lines that fetch the feature into a new cell of the current notebook'
    ),
    act: async ({ store, feature }) => {
      const { client, project } = store;
      const detail = await client.features.detail(project.path, feature.name);
      await insert(detail.snippet);
      return null;
    }
  };
}

/** What computes features; those on demand are computed when they are asked for. */
export function computations(trans: TranslationBundle): readonly IAction[] {
  const isPossible = ({ on_demand }: FeatureView): boolean => !on_demand;
  const compute = (more: { force?: boolean; online?: boolean }) => {
    return ({ store, feature }: IFeatureTarget): Promise<SweepView> =>
      store.client.features.compute(store.project.path, {
        features: [feature.name],
        ...more
      });
  };
  return [
    {
      id: CommandIDs.computeFeature,
      label: trans.__('Compute Feature'),
      caption: trans.__(
        'Compute the feature and what it is made from, unless they are fresh'
      ),
      isPossible,
      act: compute({})
    },
    {
      id: CommandIDs.serveFeature,
      label: trans.__('Compute Feature Online'),
      caption: trans.__(
        'Compute the feature unless it is fresh, and fill the online store with it'
      ),
      isPossible,
      act: compute({ online: true })
    },
    {
      id: CommandIDs.forceFeature,
      label: trans.__('Compute Feature Again'),
      caption: trans.__('Compute the feature even if nothing has changed'),
      isPossible,
      act: compute({ force: true })
    },
    {
      id: CommandIDs.backfillFeature,
      label: trans.__('Compute Feature for a Span of Time'),
      caption: trans.__('Compute the values of a span of time again'),
      asks: true,
      isPossible: ({ on_demand, timestamp }) =>
        !on_demand && timestamp !== null,
      act: async target => {
        const [{ askFields }, { spanForm }] = await Promise.all([
          import('../models/asking'),
          import('./forms')
        ]);
        return askFields(spanForm(target, trans), trans, {
          title: trans.__('Compute %1', target.feature.name),
          focus: 'input'
        });
      }
    }
  ];
}

/** What compares features with something else. */
export function comparisons(trans: TranslationBundle): readonly IAction[] {
  return [
    {
      id: CommandIDs.checkFeature,
      label: trans.__('Check Feature'),
      caption: trans.__('Compare a sample of the feature online and offline'),
      act: ({ store, feature }) =>
        store.client.features.check(store.project.path, {
          features: [feature.name]
        })
    },
    {
      id: CommandIDs.driftFeature,
      label: trans.__('Compare Feature with Training'),
      caption: trans.__(
        'Compare the feature with what it was when a model was trained'
      ),
      asks: true,
      act: target => drift(target, trans)
    }
  ];
}

async function drift(
  target: IFeatureTarget,
  trans: TranslationBundle
): Promise<SweepView | null> {
  const { client, project } = target.store;
  const { name } = target.feature;
  const found = await client.features.detail(project.path, name);
  const models = found.models ?? [];
  if (models.length === 0) {
    const message =
      found.models_problem ??
      trans.__(
        'No model was trained with %1. Train one on what mlops.features.training_set returns, and register it.',
        name
      );
    Notification.info(message, { autoClose: SHOWN });
    return null;
  }
  const [{ askFields }, { driftForm }] = await Promise.all([
    import('../models/asking'),
    import('./forms')
  ]);
  return askFields(driftForm(target, models, trans), trans, {
    title: trans.__('Compare %1 with training', name),
    focus: 'select'
  });
}
