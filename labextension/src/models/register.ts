/** The forms that register, name and describe model versions. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ModelVersionView } from '../api/types';
import type { ProjectStore } from '../projects/store';
import type { IModelTarget } from '../targets';
import type { IField } from './fields';
import { FieldsModel } from './fields';

/** What is registered: the model of a run, or of the best run of a sweep. */
export type Source =
  | { readonly run: string; readonly sweep?: never }
  | { readonly sweep: string; readonly run?: never };

/**
 * The form that registers a run's model.
 *
 * @param name - one to begin with
 * @param choice - the field that chooses the run, where the source does not tell
 */
export function registerForm(
  store: ProjectStore,
  source: Source,
  name: string,
  trans: TranslationBundle,
  choice: IField | null = null
): FieldsModel<ModelVersionView> {
  const names = new Set(store.models?.map(model => model.name));
  return new FieldsModel(
    [
      ...(choice ? [choice] : []),
      {
        name: 'name',
        label: trans.__('Model name'),
        value: name,
        known: [...names],
        isRequired: true
      },
      { ...aliasField(store, trans), label: trans.__('Alias (optional)') },
      ...tagFields({}, trans)
    ],
    trans.__('Register'),
    ({ name = '', alias = '', run = '', ...tags }) =>
      store.client.registry.register(store.project.path, name, {
        ...(choice ? { run } : source),
        alias: withoutSign(alias) || null,
        tags: filled(tags)
      })
  );
}

/** The form that points an alias at a version, and says why. */
export function aliasForm(
  { store, model }: IModelTarget,
  trans: TranslationBundle
): FieldsModel<ModelVersionView> {
  return new FieldsModel(
    [
      { ...aliasField(store, trans), isRequired: true },
      {
        name: 'why',
        label: trans.__('Why (optional)'),
        placeholder: trans.__('such as: better in November')
      }
    ],
    trans.__('Set'),
    ({ alias = '', why = '' }) =>
      store.client.registry.setAlias(
        store.project.path,
        model.name,
        withoutSign(alias),
        { version: model.version, why: why || null }
      )
  );
}

/** The form that says whose a version is, what it is for, and what is to be known of it. */
export function descriptionForm(
  { store, model }: IModelTarget,
  trans: TranslationBundle
): FieldsModel<ModelVersionView> {
  return new FieldsModel(
    [
      ...tagFields(model.tags, trans),
      {
        name: 'notes',
        label: trans.__('Notes'),
        value: model.description,
        isLong: true
      }
    ],
    trans.__('Save'),
    ({ notes = '', ...tags }) =>
      store.client.registry.annotate(
        store.project.path,
        model.name,
        model.version,
        { notes, tags: filled(tags) }
      )
  );
}

function aliasField(
  store: ProjectStore,
  trans: TranslationBundle
): FieldsModel<unknown>['fields'][number] {
  const known = new Set(store.models?.flatMap(model => model.aliases));
  return {
    name: 'alias',
    label: trans.__('Alias'),
    placeholder: trans.__('such as champion'),
    known: [...known.add('champion').add('challenger')]
  };
}

function tagFields(
  tags: Readonly<Record<string, string>>,
  trans: TranslationBundle
): FieldsModel<unknown>['fields'] {
  return [
    {
      name: 'owner',
      label: trans.__('Owner'),
      value: tags.owner ?? '',
      placeholder: trans.__('who answers for it')
    },
    {
      name: 'task',
      label: trans.__('Task'),
      value: tags.task ?? '',
      placeholder: trans.__('what it is for')
    },
    {
      name: 'stakeholders',
      label: trans.__('Stakeholders'),
      value: tags.stakeholders ?? '',
      placeholder: trans.__('whom it concerns, with commas between')
    }
  ];
}

/** Fields that are left empty say nothing. */
function filled(
  texts: Readonly<Record<string, string>>
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).filter(([, text]) => text !== '')
  );
}

function withoutSign(alias: string): string {
  return alias.replace(/^@/, '');
}
