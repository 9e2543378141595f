import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/** The brand's azure #3486FF is shade 5; text and filled buttons take shade 7, which is legible on white. */
const azure: MantineColorsTuple = [
  '#ecf4ff',
  '#d6e6ff',
  '#abccff',
  '#7db1ff',
  '#5599ff',
  '#3486ff',
  '#2474f0',
  '#1a61d2',
  '#1450b0',
  '#0d3f8f',
];
const violet: MantineColorsTuple = [
  '#f5efff',
  '#e7dbff',
  '#cbb3fd',
  '#ae88fb',
  '#9663f9',
  '#8748f8',
  '#782ff7',
  '#6a22e0',
  '#5a19c2',
  '#4a12a3',
];
const teal: MantineColorsTuple = [
  '#e2fbf6',
  '#c9f3ea',
  '#95e7d6',
  '#5ddbc0',
  '#31d1af',
  '#00c8a7',
  '#00a98e',
  '#008873',
  '#006d5c',
  '#005547',
];
/** Warm, like the background: Mantine's own greys look blue on pearl. */
const gray: MantineColorsTuple = [
  '#f8f6f1',
  '#f1eee7',
  '#e7e2d8',
  '#d8d2c5',
  '#c2bbad',
  '#9c9689',
  '#77736a',
  '#5a5751',
  '#403e3a',
  '#2a2926',
];
const dark: MantineColorsTuple = [
  '#e6e9f2',
  '#b4bbcd',
  '#98a1b8',
  '#6c7690',
  '#3c455c',
  '#2c3345',
  '#222838',
  '#181d2a',
  '#12161f',
  '#0c0f16',
];

/** A dialog's head is a `header` element; the banner of the page is another one. */
const NO_BANNER = { header: { role: 'presentation' } };

export const theme = createTheme({
  colors: { azure, violet, teal, gray, dark },
  primaryColor: 'azure',
  primaryShade: 7,
  black: '#1b2130',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  headings: {
    fontFamily: "Poppins, 'Inter Variable', system-ui, sans-serif",
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.625rem', lineHeight: '1.25' },
      h2: { fontSize: '1.1875rem', lineHeight: '1.35' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  components: {
    // Colour alone does not tell a link inside a sentence.
    Anchor: { defaultProps: { underline: 'always' } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: 'lg',
        closeButtonProps: { 'aria-label': 'Close' },
        attributes: NO_BANNER,
      },
    },
    Drawer: { defaultProps: { attributes: NO_BANNER } },
    Select: { defaultProps: { allowDeselect: false, comboboxProps: { shadow: 'md' } } },
    Tooltip: { defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } } },
  },
});

/** Words in Mantine's dimmed grey must reach 4.5 : 1 on pearl too. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': '#5b6272',
    '--mantine-color-placeholder': '#737988',
    '--mantine-color-default-border': '#ddd7ca',
    '--mantine-color-error': '#c5221f',
  },
  dark: {
    '--mantine-color-body': '#171b27',
    '--mantine-color-text': '#e6e9f2',
    '--mantine-color-dimmed': '#a2abc0',
    '--mantine-color-placeholder': '#8791a8',
    '--mantine-color-default-border': '#353d52',
    '--mantine-color-anchor': '#7db1ff',
    '--mantine-color-error': '#ff8a80',
  },
});
