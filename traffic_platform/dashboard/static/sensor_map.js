// Thousands of sensors on one canvas of Leaflet. Each mark has a colour, a size and a shape.
import { leaflet as L } from "nicegui-leaflet";
import { BANDS, HEALTHS, token, onTheme, escapeHtml } from "traffic-page/palette.js";

const loadStyle = (url) =>
  new Promise((resolve) => {
    if (document.querySelector(`link[href="${url}"]`)) return resolve();
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });

// A mark drawn `offset` pixels beside its place, because the lanes of a road share one place.
const Mark = L.CircleMarker.extend({
  _project() {
    this._point = this._map.latLngToLayerPoint(this._latlng).add(this.options.offset);
    this._updateBounds();
  },
  _updatePath() {
    const renderer = this._renderer;
    if (!renderer._drawing || this._empty()) return;
    const { shape, hollow, fillColor, outline } = this.options;
    const context = renderer._ctx;
    const { x, y } = this._point;
    const r = this._radius;
    context.beginPath();
    if (shape === "square") context.rect(x - r, y - r, 2 * r, 2 * r);
    else if (shape === "diamond") {
      context.moveTo(x, y - 1.2 * r);
      context.lineTo(x + 1.2 * r, y);
      context.lineTo(x, y + 1.2 * r);
      context.lineTo(x - 1.2 * r, y);
      context.closePath();
    } else if (shape === "cross") {
      context.moveTo(x - r, y - r);
      context.lineTo(x + r, y + r);
      context.moveTo(x + r, y - r);
      context.lineTo(x - r, y + r);
    } else context.arc(x, y, r, 0, 2 * Math.PI);
    if (shape === "cross" || hollow) {
      context.lineWidth = shape === "cross" ? 2.4 : 1.6;
      context.strokeStyle = fillColor;
      context.stroke();
      return;
    }
    context.fillStyle = fillColor;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = outline;
    context.stroke();
  },
});

const ROW_PX = 76; // height of a road with its lanes, on lines

export default {
  template: `<div class="sensor-map" role="application" tabindex="0" :aria-label="label"></div>`,
  props: {
    schematic: Boolean,
    tiles: String,
    attribution: String,
    label: String,
    by: String,
    layout: String,
    bands: String,
    healths: String,
    resourcePath: String,
  },
  emits: ["ask", "choose"],
  async mounted() {
    await this.$nextTick();
    await loadStyle(`${window.path_prefix ?? ""}${this.resourcePath}/leaflet/leaflet.css`);
    this.colour = this.by;
    this.scene = JSON.parse(this.layout);
    this.looks = { speed: [...this.bands].map(Number), health: [...this.healths].map(Number) };
    const map = (this.map = L.map(this.$el, {
      crs: this.schematic ? L.CRS.Simple : L.CRS.EPSG3857,
      renderer: L.canvas({ padding: 0.3, tolerance: 4 }),
      preferCanvas: true,
      zoomSnap: 0,
      minZoom: this.schematic ? -8 : 2,
      maxZoom: this.schematic ? 12 : 18,
      attributionControl: Boolean(this.tiles),
      scrollWheelZoom: !this.schematic,
      zoomControl: !this.schematic,
      zoomAnimation: false,
      fadeAnimation: false,
    }));
    map.attributionControl?.setPrefix(false);
    if (this.tiles && !this.schematic)
      L.tileLayer(this.tiles, { attribution: escapeHtml(this.attribution), maxZoom: 19 }).addTo(map);
    // One tooltip for all marks. The server sends its text while the user points at a mark.
    this.layer = L.featureGroup();
    this.layer.bindTooltip((mark) => this.describe(mark.options.sensor), {
      className: "sensor-tip",
      sticky: true,
    });
    this.layer.on("mouseover", ({ layer }) => this.hover(layer.options.sensor));
    this.layer.on("mouseout", () => this.hover(null));
    this.layer.on("click", ({ layer }) => this.$emit("choose", layer.options.sensor));
    this.draw();
    this.layer.addTo(map);
    map.on("zoomend", () => this.restyle());
    this.endTheme = onTheme(() => this.recolour());
    this.size = String([this.$el.clientWidth, this.$el.clientHeight]);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.$el);
    for (const event of ["dragstart", "keydown"]) map.on(event, () => (this.touched = true));
    this.$el.addEventListener("wheel", () => (this.touched = true), { passive: true });
  },
  beforeUnmount() {
    clearInterval(this.asking);
    this.endTheme?.();
    this.sizes?.disconnect();
    this.map?.remove();
  },
  methods: {
    // marks: [sensor, band, health] of the sensors to redraw.
    show(marks) {
      if (!this.drawn) return;
      for (const [sensor, band, health] of marks) {
        this.looks.speed[sensor] = band;
        this.looks.health[sensor] = health;
        const drawn = this.drawn.get(sensor);
        if (drawn) drawn.setStyle(this.look(sensor)).setRadius(drawn.options.radius);
      }
      this.$el.dataset.marked = Number(this.$el.dataset.marked ?? 0) + marks.length;
    },
    colourBy(what) {
      this.colour = what;
      this.restyle();
    },
    resize() {
      const size = String([this.$el.clientWidth, this.$el.clientHeight]);
      if (size === this.size) return;
      this.size = size;
      this.map.invalidateSize();
      if (!this.touched) this.fit();
    },
    // Reads the colours of the style sheet once for all marks.
    readColours() {
      this.outline = token("--surface");
      const read = (kind) => ({ shape: "circle", hollow: false, ...kind, color: token(kind.token) });
      this.kinds = { speed: BANDS.map(read), health: HEALTHS.map(read) };
      // Marks are small while thousands are visible, and grow with the zoom.
      this.radius = this.schematic ? 5 : Math.min(6, Math.max(2.6, (this.map.getZoom() - 5) * 0.75));
    },
    look(sensor) {
      const kind = this.kinds[this.colour][this.looks[this.colour][sensor] ?? 0];
      return {
        fillColor: kind.color,
        outline: this.outline,
        shape: kind.shape,
        hollow: kind.hollow,
        radius: this.radius * kind.size,
      };
    },
    offset({ nx, ny, lane }) {
      const off = (lane + (this.schematic ? 1 : 0.8)) * (this.radius * 2 + 1);
      return L.point(nx * off, -ny * off);
    },
    restyle() {
      this.readColours();
      for (const [sensor, mark] of this.drawn) {
        Object.assign(mark.options, this.look(sensor), { offset: this.offset(mark.options) });
        mark._radius = mark.options.radius;
        if (mark._map) mark._project();
      }
      // One redraw of the canvas is faster than one per mark.
      const [first] = this.drawn.values();
      if (first?._renderer) {
        first._renderer._clear();
        first._renderer._draw();
      }
    },
    recolour() {
      for (const line of this.lines) line.setStyle({ color: token("--road") });
      this.restyle();
    },
    place(x, y) {
      return this.schematic ? [y * this.rowHeight, x] : [y, x];
    },
    draw() {
      const { places, roads } = this.scene;
      this.drawn = new Map();
      this.lines = [];
      this.spreadRows();
      this.fit();
      this.readColours();
      const line = { color: token("--road"), weight: this.schematic ? 3 : 4, interactive: false };
      const named = new Set();
      for (const [name, course] of roads) {
        this.lines.push(L.polyline(course.map(([x, y]) => this.place(x, y)), line).addTo(this.layer));
        // On a map the name is at the northern end. If roads share that end, only the first is named.
        const end = this.schematic ? course[0] : course.reduce((a, b) => (b[1] > a[1] ? b : a));
        if (!named.has(String(end))) this.write(end, name, "road-name");
        named.add(String(end));
      }
      if (this.schematic) this.writeMiles();
      const lanes = places.flatMap(([x, y, nx, ny, sensors]) =>
        sensors.map((sensor, lane) => [x, y, { sensor, nx, ny, lane }]),
      );
      for (const [x, y, at] of lanes) {
        const { sensor } = at;
        const mark = new Mark(this.place(x, y), {
          ...at,
          ...this.look(sensor),
          offset: this.offset(at),
          stroke: true,
          fill: true,
        });
        this.drawn.set(sensor, mark);
        this.layer.addLayer(mark);
      }
      this.$el.dataset.sensors = lanes.length;
    },
    write([x, y], text, className) {
      const icon = L.divIcon({ className, html: `<span>${escapeHtml(text)}</span>`, iconSize: [0, 0] });
      L.marker(this.place(x, y), { icon, interactive: false, keyboard: false }).addTo(this.layer);
    },
    // A mile is one unit wide. All rows have the same height; the user drags to rows that do not fit.
    spreadRows() {
      const xs = this.scene.places.map(([x]) => x);
      const ys = this.scene.places.map(([, y]) => y);
      this.bounds = { west: Math.min(...xs), east: Math.max(...xs), south: Math.min(...ys), north: Math.max(...ys) };
      const across = Math.max(0.5, this.bounds.east - this.bounds.west);
      this.rowHeight = (across * ROW_PX) / Math.max(200, this.$el.clientWidth - 56);
    },
    writeMiles() {
      const { west, east, south } = this.bounds;
      const step = [0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => (east - west) / each <= 8) ?? 200;
      for (let mile = Math.ceil(west / step) * step; mile <= east + 1e-9; mile += step)
        this.write([mile, south - 0.78], `mile ${mile}`, "mile-name");
    },
    fit() {
      let { west, east, south, north } = this.bounds;
      if (this.schematic) {
        north += 0.4;
        south = Math.max(south - 0.9, north - (this.$el.clientHeight - 8) / ROW_PX);
      }
      const corners = [this.place(west, south), this.place(east, north)];
      const padding = this.schematic ? [28, 4] : [26, 34];
      this.map.fitBounds(corners, { padding, animate: false, maxZoom: this.schematic ? 12 : 15 });
    },
    // Requests the tooltip's text, and again every second while the user points at the mark.
    hover(sensor) {
      clearInterval(this.asking);
      this.hovered = sensor;
      this.tooltip = null;
      if (sensor === null) return;
      this.$emit("ask", sensor);
      this.asking = setInterval(() => this.$emit("ask", sensor), 1000);
    },
    answer(sensor, lines) {
      if (sensor !== this.hovered) return;
      this.tooltip = lines;
      this.layer.getTooltip()?.setContent(this.describe(sensor));
    },
    describe(sensor) {
      if (sensor !== this.hovered || !this.tooltip) return "…";
      const [name, ...rest] = this.tooltip.map(escapeHtml);
      return [`<b>${name}</b>`, ...rest].join("<br>");
    },
  },
};
