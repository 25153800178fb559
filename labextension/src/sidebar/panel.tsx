/** The panel in the sidebar: a head, and sections that fold. */
import type { IStateDB } from '@jupyterlab/statedb';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { AccordionPanel, Menu } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { mlopsIcon } from '../icons';
import type { ModelsModel } from '../models/model';
import type { EndpointsModel } from '../endpoints/model';
import { EndpointsPanel } from '../endpoints/panel';
import type { EnvironmentModel } from '../environment/model';
import { EnvironmentPanel } from '../environment/panel';
import type { FeaturesModel } from '../features/model';
import { FeaturesPanel } from '../features/panel';
import { ModelsPanel } from '../models/panel';
import type { PipelineModel } from '../pipeline/model';
import { PipelinePanel } from '../pipeline/panel';
import type { IRowHandlers } from '../runs/handlers';
import type { RunsModel } from '../runs/model';
import { RunsPanel } from '../runs/panel';
import { Header } from './header';

/** Where the names of folded sections are remembered. */
const STATE_KEY = 'jupyter-mlops:folded-sections';
/** How high sections are in comparison to each other. */
const WEIGHTS: Readonly<Record<string, number>> = {
  runs: 3,
  pipeline: 3,
  models: 2,
  endpoints: 1,
  features: 3,
  environment: 3
};
/** Sections that are folded at first. */
const FOLDED: readonly unknown[] = ['features', 'environment'];

export interface ISidebarOptions {
  readonly model: RunsModel;
  readonly models: ModelsModel;
  readonly pipeline: PipelineModel;
  readonly endpoints: EndpointsModel;
  readonly features: FeaturesModel;
  readonly environment: EnvironmentModel;
  readonly commands: CommandRegistry;
  readonly handlers: IRowHandlers;
  readonly state: IStateDB | null;
  readonly translator: ITranslator;
  readonly trans: TranslationBundle;
}

export class Sidebar extends SidePanel {
  constructor(private readonly options: ISidebarOptions) {
    super({ translator: options.translator });
    const { model, trans } = options;
    this.id = 'jp-mlops-sidebar';
    this.addClass('jp-Mlops-sidebar');
    this.title.icon = mlopsIcon;
    this.title.caption = trans.__('MLOps');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('MLOps'));
    const header = ReactWidget.create(
      <Header
        model={model}
        trans={trans}
        onProjects={button => {
          void this._openProjects(button);
        }}
        onMore={button => {
          this._openMore(button);
        }}
      />
    );
    this.header.addWidget(header);
    this.addWidget(new RunsPanel(options));
    this.addWidget(new PipelinePanel(options));
    this.addWidget(new ModelsPanel(options));
    options.models.filtering.connect(this._showModels, this);
    this.addWidget(new EndpointsPanel(options));
    this.addWidget(new FeaturesPanel(options));
    this.addWidget(new EnvironmentPanel(options));
    options.features.searching.connect(this._showFeatures, this);
    if (this.content instanceof AccordionPanel) {
      this._share();
      this.content.expansionToggled.connect(this._onToggled, this);
    }
    void this._restore();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.options.model.projects.want(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    void this.options.model.projects.want(false);
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const first =
      this.node.querySelector<HTMLElement>('.jp-Mlops-filter') ??
      this.node.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]') ??
      this.node.querySelector<HTMLElement>('.jp-Mlops-empty button') ??
      this.node.querySelector<HTMLElement>('.jp-Mlops-project');
    first?.focus();
  }

  private async _openProjects(button: HTMLElement): Promise<void> {
    const { commands, model } = this.options;
    await model.projects.list();
    const menu = new Menu({ commands });
    const command = CommandIDs.switchProject;
    menu.addItem({ command, args: { path: null } });
    menu.addItem({ type: 'separator' });
    model.projects.known.forEach(({ path }) =>
      menu.addItem({ command, args: { path } })
    );
    openBelow(menu, button);
  }

  private _openMore(button: HTMLElement): void {
    const menu = new Menu({ commands: this.options.commands });
    menu.addItem({ command: CommandIDs.refresh });
    menu.addItem({ command: CommandIDs.doctor });
    openBelow(menu, button);
  }

  private async _restore(): Promise<void> {
    const saved = await this.options.state?.fetch(STATE_KEY);
    const folded = Array.isArray(saved) ? saved : FOLDED;
    if (this.content instanceof AccordionPanel) {
      for (const [index, widget] of this.widgets.entries()) {
        if (folded.includes(widget.title.dataset.section)) {
          this.content.collapse(index);
          this._unsized.add(widget);
        }
      }
      this._share();
    }
  }

  /** Unfold the section of models, and go to its filter: a hidden field takes no focus. */
  private _showModels(): void {
    const panel = this._expand('models');
    const field = '.jp-Mlops-filter';
    requestAnimationFrame(() =>
      panel?.node.querySelector<HTMLElement>(field)?.focus()
    );
  }

  private _showFeatures(): void {
    this._expand('features');
  }

  private _expand(section: string): Widget | null {
    const index = this.widgets.findIndex(
      ({ title }) => title.dataset.section === section
    );
    if (this.content instanceof AccordionPanel && index >= 0) {
      this.content.expand(index);
    }
    return this.widgets[index] ?? null;
  }

  private _onToggled(_: unknown, index: number): void {
    const widget = this.widgets[index];
    if (widget && !widget.isHidden && this._unsized.delete(widget)) {
      this._share();
    }
    this._save();
  }

  /** Share the height among the sections that are unfolded. */
  private _share(): void {
    if (this.content instanceof AccordionPanel) {
      this.content.setRelativeSizes(
        this.widgets.map(({ isHidden, title }) =>
          isHidden ? 0 : (WEIGHTS[title.dataset.section ?? ''] ?? 1)
        )
      );
    }
  }

  private _save(): void {
    const folded = this.widgets.flatMap(({ isHidden, title }) =>
      isHidden ? (title.dataset.section ?? []) : []
    );
    void this.options.state?.save(STATE_KEY, folded);
  }

  /** Sections that were folded before they had a height to go back to. */
  private readonly _unsized = new Set<Widget>();
}

function openBelow(menu: Menu, button: HTMLElement): void {
  const { left, bottom } = button.getBoundingClientRect();
  menu.aboutToClose.connect(() => {
    button.focus();
  });
  menu.open(left, bottom);
}
