// The task read-line in the training page: trains a model of images of lines, drawn with the page's fonts, and reads.
import { expect, it } from 'vitest';
import { demo, fillField, openDetails, untilText, withoutModels } from '../support/demo.ts';

const { open } = demo(withoutModels);

it('trains on lines that it draws, and shows the image that it has read', async () => {
  const { page, errors, screenshot } = await open('train.html?tune=0');
  await page.locator('input[value="task"]').click();
  await page.select('#corpus-task', 'read-line');
  await openDetails(page, '#settings details');
  await fillField(page, 'Pairs of the task', '400');
  await fillField(page, 'Steps', '20');
  await fillField(page, 'Evaluation interval (steps)', '10');
  await fillField(page, 'Dev sentences to translate', '4');
  await page.waitForSelector('#start:not([disabled])');
  await untilText(page, '#plan-summary', 'parameters\\s*[\\d,]{6,}');
  await page.locator('#start').click();
  await page.waitForFunction(() => document.querySelector('.state')?.textContent === 'Done');
  await page.locator('#translate-text').fill('hedge row');
  await page.locator('#translate').click();
  await page.waitForSelector('canvas.line-picture');
  const shades = await page.$eval(
    'canvas.line-picture',
    (canvas) =>
      new Set((canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, 100, 16).data).size,
  );
  expect(shades).toBeGreaterThan(20);
  await screenshot('read-line');
  expect(errors).toEqual([]);
});
