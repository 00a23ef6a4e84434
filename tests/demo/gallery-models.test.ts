// The gallery has a model of every family that heddle reads from the hub, and those of the page.
import { expect, it } from 'vitest';
import { demoModels } from '../../demo/train/page/demo-models.ts';
import { galleryModels } from '../../demo/train/page/gallery-models.ts';
import { repository } from '../../src/files/hub/repository.ts';
import { hfTypes } from '../../src/formats/shared/hf-types.ts';

it('has every family, each with a size, an example and a valid name', () => {
  expect([...new Set(galleryModels.flatMap(({ type }) => type ?? []))].sort()).toEqual([...hfTypes].sort());
  expect(galleryModels.flatMap(({ shipped }) => shipped ?? [])).toEqual(demoModels);
  for (const { title, hub, revision = 'main', shipped, bytes, example } of galleryModels) {
    expect(hub !== undefined, title).toBe(shipped === undefined);
    if (hub !== undefined) expect(repository(hub, revision, 'http://hub').name).toBe(hub);
    expect(bytes, title).toBeLessThan(2 ** 31); // the largest file that is downloaded
    expect([bytes > 0, example.length > 0], title).toEqual([true, true]);
  }
  expect(new Set(galleryModels.map(({ hub, title }) => hub?.split('/')[1] ?? title)).size).toBe(
    galleryModels.length,
  );
});
