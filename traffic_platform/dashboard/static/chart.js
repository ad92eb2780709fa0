// A chart of lib/charts.js on a canvas of ECharts. It redraws when the theme changes.
import { echarts } from "nicegui-echart";
import { KINDS } from "traffic-page/charts.js";
import { onTheme } from "traffic-page/palette.js";

export default {
  template: `<div class="chart" role="img" :aria-label="label"></div>`,
  props: { kind: String, data: Object, label: String },
  mounted() {
    this.chart = echarts.init(this.$el, null, { renderer: "canvas" });
    this.endTheme = onTheme(() => this.draw());
    this.sizes = new ResizeObserver(() => {
      this.chart.resize();
      this.draw();
    });
    this.sizes.observe(this.$el);
    this.draw();
  },
  beforeUnmount() {
    this.endTheme();
    this.sizes.disconnect();
    this.chart.dispose();
  },
  watch: {
    data() {
      this.draw();
    },
  },
  methods: {
    draw() {
      const narrow = this.$el.clientWidth < 560;
      const options = KINDS[this.kind](this.data, narrow, echarts);
      // New data of a running day arrives every minute and must not reset the user's zoom.
      const zoomed = this.chart.getOption()?.dataZoom ?? [];
      options.dataZoom?.forEach((zoom, at) => {
        zoom.start = zoomed[at]?.start;
        zoom.end = zoomed[at]?.end;
      });
      this.chart.setOption(options, { notMerge: true });
      this.$el.dataset.drawn = this.kind;
    },
  },
};
