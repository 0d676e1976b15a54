import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { inert } from './inert';
import { withoutIcons } from './protocol';

test('HTML and images become text', () => {
  equal(
    inert('a <b>c</b> ![x](https://example.invalid/x.png)'),
    'a &lt;b>c&lt;/b> !\\[x](https://example.invalid/x.png)',
  );
});

test('code keeps its signs', () => {
  equal(inert('see `<a>` and ``<b>`` <c>'), 'see `<a>` and ``<b>`` &lt;c>');
  equal(inert('```\n<a>\n```\n<b>'), '```\n<a>\n```\n&lt;b>');
});

test('a fence ends only with as many signs as it began with', () => {
  equal(inert('````\n```\n<a>\n````\n<b>'), '````\n```\n<a>\n````\n&lt;b>');
  equal(inert('~~~\n```\n~~~\n<b>'), '~~~\n```\n~~~\n&lt;b>');
});

test('names never turn into icons', () => {
  equal(withoutIcons('prod $(check)'), 'prod $\u200b(check)');
});
