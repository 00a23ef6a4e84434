// Pictures of results to send to somebody: of a lesson, and of a race. Drawn on a canvas in the colours of the page.

import { fixed } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import {
  pictureMargin as margin,
  newPicture,
  pictureWidth as width,
  write,
} from '../../common/picture-card.ts';
import { colour } from '../../common/theme.ts';
import type { RacePicture, StagePicture } from './learning-stage.ts';

/** A line of a curve: values over equal parts of the width, or points of step and value. */
export interface PictureCurve {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  readonly lineWidth: number;
}

/** Draws curves into a rectangle, all to the same scale. */
function drawCurves(
  draw: CanvasRenderingContext2D,
  curves: readonly PictureCurve[],
  [left, top, wide, high]: readonly [number, number, number, number],
): void {
  const all = curves.flatMap(({ points }) => points);
  const [maxX, maxY] = [Math.max(1, ...all.map(([x]) => x)), Math.max(1e-6, ...all.map(([, y]) => y))];
  draw.lineJoin = 'round';
  for (const { points, colour: stroke, lineWidth } of curves) {
    draw.beginPath();
    for (const [x, y] of points) draw.lineTo(left + (wide * x) / maxX, top + high - (high * y) / maxY);
    draw.strokeStyle = stroke;
    draw.lineWidth = lineWidth;
    draw.stroke();
  }
}

/** The picture of a lesson: the question, the answer, the answers before it, and the loss. */
export function pictureOfStage({
  question,
  answer,
  isRight,
  trail,
  caption,
  loss,
}: StagePicture): HTMLCanvasElement {
  const { canvas, draw } = newPicture();
  const sans = 'system-ui, sans-serif';
  write(draw, say`I taught a transformer`, {
    x: margin,
    y: 92,
    size: 30,
    room: 800,
    font: sans,
    ink: '--soft',
  });
  const room = (width - 2 * margin - 100) / 2;
  const used = write(draw, question, { x: margin, y: 250, size: 150, room });
  write(draw, '→', { x: margin + used + 28, y: 246, size: 80, room: 90, ink: '--soft' });
  write(draw, answer, {
    x: margin + used + 134,
    y: 250,
    size: 150,
    room: width - margin - (margin + used + 134),
    ink: isRight ? '--good' : '--ink',
  });
  const before = trail.map((each) => each || '∅').join(' · ');
  if (before)
    write(draw, say`before: ${before}`, {
      x: margin,
      y: 330,
      size: 34,
      room: width - 2 * margin,
      font: sans,
      ink: '--soft',
    });
  write(draw, caption, { x: margin, y: 386, size: 34, room: width - 2 * margin, font: sans });
  const points = loss.map((y, i) => [i, y] as const);
  drawCurves(
    draw,
    [{ points, colour: colour('--c1'), lineWidth: 4 }],
    [margin, 420, width - 2 * margin, 120],
  );
  return canvas;
}

/** The picture of a race: both losses, and both curves. */
export function pictureOfRace({ own, other, verdict, losses }: RacePicture): HTMLCanvasElement {
  const { canvas, draw } = newPicture();
  const font = 'system-ui, sans-serif';
  const isAhead = losses.own < losses.other;
  const right = width / 2 + 20;
  write(draw, say`my loss`, { x: margin, y: 92, size: 30, room: 400, font, ink: '--soft' });
  write(draw, say`to beat`, { x: right, y: 92, size: 30, room: 400, font, ink: '--soft' });
  const ink = isAhead ? '--good' : '--c2';
  write(draw, fixed(losses.own, 3), { x: margin, y: 230, size: 140, room: 500, ink });
  write(draw, fixed(losses.other, 3), { x: right, y: 230, size: 140, room: 500, ink: '--soft' });
  write(draw, verdict, { x: margin, y: 300, size: 34, room: width - 2 * margin, font });
  const curves = [
    { points: other, colour: colour('--line'), lineWidth: 9 },
    { points: own, colour: colour('--c1'), lineWidth: 4 },
  ];
  drawCurves(draw, curves, [margin, 340, width - 2 * margin, 200]);
  return canvas;
}

export { keepPicture } from '../../common/picture-card.ts';
