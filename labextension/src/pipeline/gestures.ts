/** Moving and zooming the graph by wheel and pointer, without rendering anything again. */
import type { RefObject } from 'react';
import { useEffect } from 'react';

import type { PipelineTabModel } from './tabmodel';

/** How much a wheel's step zooms. */
const SPEED = 0.003;
/** Below this scale no text can be read; nodes then show their state alone. */
const FAR = 0.35;

/** Let the drawing follow the viewport, and the viewport the user. */
export function useGestures(
  model: PipelineTabModel,
  window: RefObject<HTMLElement>,
  drawing: RefObject<SVGGElement>
): void {
  useEffect(() => {
    const frame = window.current;
    if (!frame) {
      return undefined;
    }
    const { viewport } = model;
    const move = (): void => {
      const { scale, x, y } = viewport.zoom;
      drawing.current?.setAttribute(
        'transform',
        `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`
      );
      frame.dataset.far = String(scale < FAR);
    };
    const observer = new ResizeObserver(() => {
      model.resize(frame.clientWidth, frame.clientHeight);
    });
    const stop = listen(frame, model);
    viewport.moved.connect(move);
    observer.observe(frame);
    model.resize(frame.clientWidth, frame.clientHeight);
    move();
    return () => {
      stop();
      observer.disconnect();
      viewport.moved.disconnect(move);
    };
  }, [model, window, drawing]);
}

/** Pan by wheel and by dragging the ground, zoom by the wheel with Ctrl or by pinching. */
function listen(
  frame: HTMLElement,
  { viewport }: PipelineTabModel
): () => void {
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      const { left, top } = frame.getBoundingClientRect();
      const at = { x: event.clientX - left, y: event.clientY - top };
      const step = Math.max(-100, Math.min(100, event.deltaY));
      viewport.zoomBy(Math.exp(-step * SPEED), at);
    } else if (event.shiftKey && event.deltaX === 0) {
      viewport.pan(-event.deltaY, 0);
    } else {
      viewport.pan(-event.deltaX, -event.deltaY);
    }
  };
  let held: number | null = null;
  const onDown = (event: PointerEvent): void => {
    const isNode = (event.target as Element).closest(
      '.jp-Mlops-node, .jp-Mlops-nodeFold'
    );
    if (event.button === 0 && !isNode) {
      held = event.pointerId;
      frame.setPointerCapture(event.pointerId);
      frame.dataset.panning = 'true';
    }
  };
  const onMove = (event: PointerEvent): void => {
    if (event.pointerId === held) {
      viewport.pan(event.movementX, event.movementY);
    }
  };
  const onUp = (): void => {
    held = null;
    delete frame.dataset.panning;
  };
  frame.addEventListener('wheel', onWheel, { passive: false });
  frame.addEventListener('pointerdown', onDown);
  frame.addEventListener('pointermove', onMove);
  frame.addEventListener('pointerup', onUp);
  frame.addEventListener('pointercancel', onUp);
  return () => {
    frame.removeEventListener('wheel', onWheel);
    frame.removeEventListener('pointerdown', onDown);
    frame.removeEventListener('pointermove', onMove);
    frame.removeEventListener('pointerup', onUp);
    frame.removeEventListener('pointercancel', onUp);
  };
}
