import { TitleComponent } from 'echarts/components';
import { init, use as register, type EChartsCoreOption } from 'echarts/core';

import './EChart';
import { LIGHT } from './palette';

register([TitleComponent]);

const WIDTH = 1200;
const HEIGHT = 640;
const HEAD = 84;

interface Picture {
  option: EChartsCoreOption;
  title: string;
  notes: string[];
}

/** The chart drawn anew off the page: as large on every screen, on white, with its title and notes in it. */
export async function pictureOf({ option, title, notes }: Picture): Promise<Blob> {
  const box = document.createElement('div');
  const chart = init(box, null, { renderer: 'canvas', width: WIDTH, height: HEIGHT });
  try {
    chart.setOption({
      ...option,
      animation: false,
      backgroundColor: LIGHT.surface,
      title: {
        text: title,
        subtext: notes.join('\n'),
        left: 16,
        top: 12,
        textStyle: { color: LIGHT.ink, fontSize: 20, fontFamily: 'Poppins, sans-serif' },
        subtextStyle: { color: LIGHT.muted, fontSize: 13, lineHeight: 18 },
      },
      grid: { left: 24, right: 32, top: HEAD + 16, bottom: 20, containLabel: true },
    });
    const canvas = chart.renderToCanvas({ pixelRatio: 2, backgroundColor: LIGHT.surface });
    return await new Promise((resolve, reject) =>
      canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error('The canvas is empty.'))),
        'image/png',
      ),
    );
  } finally {
    chart.dispose();
  }
}
