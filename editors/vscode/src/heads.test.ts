import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { headOf, joined } from './heads';
import type { HeadStatus } from './protocol';

const placed = (folder: string) => ({ folder, head: { name: folder } as HeadStatus });
const name = (folders: string[], file?: string) => headOf(folders.map(placed), file)?.name;

test('the innermost repository counts', () => {
  equal(name(['/code', '/code/fleet'], '/code/fleet/apps.yaml'), '/code/fleet');
  equal(name(['/code', '/code/fleet'], '/code/fleet-2/apps.yaml'), '/code');
  equal(name(['c:\\work', 'c:\\fleet'], 'c:\\fleet\\apps.yaml'), 'c:\\fleet');
});

test('the only one is told of everywhere, and of several none where no file is', () => {
  equal(name(['/code/fleet']), '/code/fleet');
  equal(name(['/code/fleet'], '/elsewhere/a.yaml'), '/code/fleet');
  equal(name(['/a', '/b'], '/elsewhere/a.yaml'), undefined);
  equal(name(['/a', '/b']), undefined);
  equal(name([], '/a/b.yaml'), undefined);
});

test('what says nothing takes no room', () => {
  equal(joined(['✓ 1a2b3c4 live', '✓ staging'], ' · '), '✓ 1a2b3c4 live · ✓ staging');
  equal(joined([undefined, '✓ staging', ''], ' · '), '✓ staging');
});
