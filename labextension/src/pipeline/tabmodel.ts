/** A pipeline's tab: what is drawn, where it lies, and which sheet is open. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { PipelineStore } from '../projects/pipeline';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import type { IDiagram, IShape } from './diagram';
import { Diagrams, groupsOf } from './diagram';
import type { ILayout } from './layout';
import { Layouter } from './layouter';
import type { Row } from './rows';
import { buildRows, failedNames } from './rows';
import { SheetModel } from './sheetmodel';
import type { Measure } from './sizes';
import { layoutRequest } from './sizes';
import type { IPipelineState } from './state';
import { Viewport } from './viewport';

export interface IPipelineTabOptions {
  /** The project's store; the model gives it back when it is disposed of. */
  readonly lease: ILease;
  readonly state: IPipelineState;
  /** How wide a text is drawn. */
  readonly measure: Measure;
  /** Whether the tab is in front. */
  readonly isShown: () => boolean;
}

export class PipelineTabModel implements IDisposable {
  constructor(private readonly options: IPipelineTabOptions) {
    const { lease, state, isShown } = options;
    this.store = lease.store;
    this.pipeline = this.store.pipeline;
    this.measure = options.measure;
    this.sheet = new SheetModel(this.store, state.selected, isShown);
    this._view = state.view;
    this._unfolded = new Set(state.unfolded);
    this._isZoomed = state.zoom !== null;
    if (state.zoom) {
      this.viewport.set(state.zoom, false);
    }
    this._watch = this.pipeline.watch();
    this.pipeline.changed.connect(this._onPipeline, this);
    this.viewport.moved.connect(this._onMoved, this);
    this._onPipeline();
  }

  readonly store: ProjectStore;
  readonly pipeline: PipelineStore;
  readonly sheet: SheetModel;
  readonly measure: Measure;
  readonly viewport = new Viewport();

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** The key of the node that the pointer or the focus has come to, or null. */
  get pointed(): ISignal<this, string | null> {
    return this._pointed;
  }

  get state(): IPipelineState {
    return {
      view: this._view,
      unfolded: [...this._unfolded],
      selected: this.selected,
      zoom: this._isZoomed ? this.viewport.zoom : null
    };
  }

  get view(): IPipelineState['view'] {
    return this._view;
  }

  set view(view: IPipelineState['view']) {
    this._view = view;
    this._tell();
  }

  get diagram(): IDiagram {
    return this._diagram;
  }

  /** Null until there is one; that of before while a new one is made. */
  get layout(): ILayout | null {
    return this._layout;
  }

  /** The key of the stage or group whose sheet is open. */
  get selected(): string | null {
    return this.sheet.selected;
  }

  /** The rows of the list; those of the stages `held` come first, or if null those that failed. */
  rows(held: ReadonlySet<string> | null): readonly Row[] {
    const { stages } = this.pipeline;
    return buildRows(
      stages,
      held ?? failedNames(stages),
      group => !this._unfolded.has(group)
    );
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.pipeline.changed.disconnect(this._onPipeline, this);
    this.sheet.dispose();
    this._watch.dispose();
    this._layouter.dispose();
    this.viewport.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  /** Open the sheet of a stage or group, or close it. */
  select(key: string | null): void {
    if (key !== this.selected) {
      this._isOpening = key !== null && this.selected === null;
      this.sheet.select(key);
      this._tell();
    }
  }

  point(key: string | null): void {
    this._pointed.emit(key);
  }

  isUnfolded(group: string): boolean {
    return this._unfolded.has(group);
  }

  /** Show the stages of a group one by one, or as one. */
  fold(group: string, isFolded: boolean): void {
    if (!groupsOf(this.pipeline.stages).has(group)) {
      return;
    }
    const others = [...this._unfolded].filter(each => each !== group);
    this._unfolded = new Set(isFolded ? others : [...others, group]);
    this._anchor = group;
    this._draw();
    this._tell();
  }

  /** The window in which the graph is drawn has this size. */
  resize(width: number, height: number): void {
    this.viewport.size = { width, height };
    this._place();
    if (this._isOpening && width > 0) {
      this._isOpening = false;
      const { nodeOf } = this._diagram.shape;
      const key = nodeOf.get(this.selected ?? '') ?? this.selected ?? '';
      const box = this._layout?.nodes[key];
      if (box) {
        this.viewport.reveal(box, false);
      }
    }
  }

  private _onPipeline(): void {
    this._draw();
    this._changed.emit();
  }

  private _onMoved(_: Viewport, isByUser: boolean): void {
    if (isByUser) {
      this._isZoomed = true;
      this._stateChanged.emit();
    }
  }

  private _tell(): void {
    this._changed.emit();
    this._stateChanged.emit();
  }

  private _draw(): void {
    const { graph, stages } = this.pipeline;
    this._diagram = this._diagrams.draw(graph, stages, this._unfolded);
    const { shape } = this._diagram;
    if (shape !== this._shape) {
      this._shape = shape;
      void this._arrange(shape);
    }
  }

  private async _arrange(shape: IShape): Promise<void> {
    const request = layoutRequest(this._diagram, this.measure);
    const layout = await this._layouter.layout(request);
    if (shape !== this._shape || this._isDisposed) {
      return;
    }
    const before = this._layout;
    this._layout = layout;
    this.viewport.content = layout;
    this._keepInPlace(before, layout);
    this._place();
    this._changed.emit();
  }

  /** What was folded or unfolded stays where the user has seen it. */
  private _keepInPlace(before: ILayout | null, after: ILayout): void {
    const anchor = this._anchor;
    this._anchor = null;
    const from = anchor && (before?.nodes[anchor] ?? before?.frames[anchor]);
    const to = anchor && (after.nodes[anchor] ?? after.frames[anchor]);
    if (from && to) {
      const { scale, x, y } = this.viewport.zoom;
      const moved = {
        scale,
        x: x + (from.x - to.x) * scale,
        y: y + (from.y - to.y) * scale
      };
      this.viewport.set(moved, false);
    } else if (!this._isZoomed) {
      this._isPlaced = false;
    }
  }

  private _place(): void {
    if (!this._isPlaced && this._layout && this.viewport.size.width > 0) {
      this._isPlaced = true;
      if (!this._isZoomed) {
        this.viewport.begin();
      }
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _pointed = new Signal<this, string | null>(this);
  private readonly _diagrams = new Diagrams();
  private readonly _layouter = new Layouter();
  private readonly _watch: IDisposable;
  private _view: IPipelineState['view'];
  private _unfolded: ReadonlySet<string>;
  private _diagram: IDiagram = {
    nodes: [],
    frames: [],
    shape: { keys: [], edges: [], nodeOf: new Map() }
  };
  private _shape: IShape | null = null;
  private _layout: ILayout | null = null;
  /** The group that was just folded or unfolded. */
  private _anchor: string | null = null;
  /** Whether the sheet is about to take space, perhaps that of the node. */
  private _isOpening = false;
  private _isZoomed: boolean;
  private _isPlaced = false;
  private _isDisposed = false;
}
