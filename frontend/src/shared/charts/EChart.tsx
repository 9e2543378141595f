import { LineChart } from 'echarts/charts';
import { AriaComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { init, use as register, type EChartsCoreOption, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';

register([LineChart, GridComponent, TooltipComponent, AriaComponent, CanvasRenderer]);

interface EChartProps {
  option: EChartsCoreOption;
  height: number;
  /** What a screen reader says instead; the table beside the chart has the numbers. */
  label: string;
}

/** ECharts in React: made once, told the new option, resized with its box, disposed of at the end. */
export default function EChart({ option, height, label }: EChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);

  useEffect(() => {
    const { current: place } = box;
    if (!place) return;
    const made = init(place);
    chart.current = made;
    const observer = new ResizeObserver(() => {
      // It tells the first size too, and drawing twice takes twice as long.
      if (made.getWidth() !== place.clientWidth || made.getHeight() !== place.clientHeight) made.resize();
    });
    observer.observe(place);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    // Not merged: a series that is gone from the option must be gone from the picture.
    chart.current?.setOption(option, { notMerge: true });
  }, [option]);

  return <div ref={box} role="img" aria-label={label} style={{ height, width: '100%' }} />;
}
