// Thousands of sensors on one canvas of Leaflet. A sensor's mark has a colour, a size and a shape.
import { leaflet as L } from "nicegui-leaflet";
import { BANDS, HEALTHS, token, onTheme, escapeHtml, measure } from "traffic-page";

const loadStyle = (url) =>
  new Promise((resolve) => {
    if (document.querySelector(`link[href="${url}"]`)) return resolve();
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });

// A mark that lies beside its place by so many pixels, since lanes share one place.
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

export default {
  template: `<div class="sensor-map" role="application" tabindex="0" :aria-label="label"></div>`,
  props: {
    schematic: Boolean,
    tiles: String,
    attribution: String,
    label: String,
    by: String,
    scene: Object,
    resourcePath: String,
  },
  async mounted() {
    await this.$nextTick();
    await loadStyle(`${window.path_prefix ?? ""}${this.resourcePath}/leaflet/leaflet.css`);
    this.colour = this.by;
    const map = (this.map = L.map(this.$el, {
      crs: this.schematic ? L.CRS.Simple : L.CRS.EPSG3857,
      renderer: L.canvas({ padding: 0.3, tolerance: 4 }),
      preferCanvas: true,
      zoomSnap: 0.25,
      minZoom: this.schematic ? -8 : 2,
      maxZoom: this.schematic ? 12 : 18,
      attributionControl: Boolean(this.tiles),
      scrollWheelZoom: !this.schematic,
      zoomControl: !this.schematic,
      zoomAnimation: false,
      fadeAnimation: false,
    }));
    map.attributionControl?.setPrefix(false);
    map.setView([0, 0], 5);
    if (this.tiles && !this.schematic)
      L.tileLayer(this.tiles, { attribution: escapeHtml(this.attribution), maxZoom: 19 }).addTo(map);
    this.layer = L.layerGroup().addTo(map);
    map.on("zoomend", () => this.restyle());
    this.endTheme = onTheme(() => this.draw());
    this.sizes = new ResizeObserver(() => {
      map.invalidateSize();
      if (!this.touched) this.fit();
    });
    this.sizes.observe(this.$el);
    for (const event of ["dragstart", "keydown"]) map.on(event, () => (this.touched = true));
    this.$el.addEventListener("wheel", () => (this.touched = true), { passive: true });
    this.draw();
  },
  beforeUnmount() {
    this.endTheme?.();
    this.sizes?.disconnect();
    this.map?.remove();
  },
  methods: {
    show(marks) {
      for (const mark of marks) {
        if (this.scene) this.scene.marks[mark[0]] = mark;
        const drawn = this.drawn?.get(mark[0]);
        if (drawn) drawn.setStyle(this.look(mark[0]));
      }
      this.$el.dataset.marked = Number(this.$el.dataset.marked ?? 0) + marks.length;
      if (this.hovered && marks.some((mark) => mark[0] === this.hovered.options.sensor))
        this.hovered.setTooltipContent(this.describe(this.hovered.options.sensor));
    },
    look(sensor) {
      const mark = this.scene.marks[sensor] ?? [sensor, 0, 0];
      const kind = this.colour === "speed" ? BANDS[mark[1]] : HEALTHS[mark[2]];
      return {
        fillColor: token(kind.token),
        outline: this.outline,
        shape: kind.shape ?? "circle",
        hollow: Boolean(kind.hollow),
        radius: this.radius * kind.size,
      };
    },
    restyle() {
      if (!this.drawn || !this.scene) return;
      this.outline = token("--surface");
      // With thousands of sensors in sight marks are small, and grow as one comes nearer.
      this.radius = this.schematic ? 5 : Math.min(6, Math.max(2.6, (this.map.getZoom() - 5) * 0.75));
      const step = this.radius * 2 + 1;
      for (const [sensor, drawn] of this.drawn) {
        const { nx, ny, lane } = drawn.options;
        const off = (lane + (this.schematic ? 1 : 0.8)) * step;
        drawn.options.offset = L.point(nx * off, -ny * off);
        Object.assign(drawn.options, this.look(sensor));
        drawn._radius = drawn.options.radius;
        drawn._project();
      }
      this.map.getRenderer(this.drawn.values().next().value ?? L.circleMarker([0, 0]))._redraw?.();
    },
    place(x, y) {
      return this.schematic ? [y * this.rowHeight, x] : [y, x];
    },
    draw() {
      if (!this.map) return;
      this.layer.clearLayers();
      this.hovered = null;
      this.drawn = new Map();
      this.named = new Set();
      if (!this.scene) return;
      const { points, roads } = this.scene;
      this.rowHeight = 1;
      if (this.schematic) this.spreadRows(roads);
      const line = { color: token("--road"), weight: this.schematic ? 3 : 4, interactive: false };
      for (const [name, course] of roads) {
        const places = course.map(([x, y]) => this.place(x, y));
        L.polyline(places, line).addTo(this.layer);
        this.nameRoad(name, course);
      }
      if (this.schematic) this.drawMiles(roads);
      const options = { stroke: true, fill: true, offset: L.point(0, 0), radius: 4 };
      for (const [sensor, x, y, nx, ny, lane] of points) {
        const mark = new Mark(this.place(x, y), { ...options, sensor, nx, ny, lane });
        mark.bindTooltip(() => this.describe(sensor), { className: "sensor-tip", sticky: true });
        mark.on("mouseover", () => (this.hovered = mark));
        mark.on("click", () => (window.location.href = `sensor/${this.scene.ids[sensor]}`));
        this.drawn.set(sensor, mark);
        this.layer.addLayer(mark);
      }
      if (!this.touched) this.fit();
      this.restyle();
      this.$el.dataset.sensors = points.length;
    },
    // One mile is one unit across; rows are so far apart that together they fill the box.
    spreadRows(roads) {
      const miles = roads.flatMap(([, course]) => course.map(([x]) => x));
      const width = Math.max(0.5, Math.max(...miles) - Math.min(...miles));
      const { clientWidth, clientHeight } = this.$el;
      const ratio = (clientHeight - 70) / Math.max(200, clientWidth - 60);
      this.rowHeight = (width * ratio) / Math.max(1, roads.length);
    },
    nameRoad(name, course) {
      // On a map at the northern end, where both directions of a road have their names in turn.
      const first = this.schematic ? course[0] : course.reduce((a, b) => (b[1] > a[1] ? b : a));
      if (!this.schematic && this.named.has(String(first))) return;
      this.named.add(String(first));
      const icon = L.divIcon({ className: "road-name", html: `<span>${escapeHtml(name)}</span>`, iconSize: [0, 0] });
      L.marker(this.place(...first), { icon, interactive: false, keyboard: false }).addTo(this.layer);
    },
    drawMiles(roads) {
      const places = roads.flatMap(([, course]) => course);
      if (!places.length) return;
      const miles = places.map(([x]) => x);
      const [first, last] = [Math.min(...miles), Math.max(...miles)];
      const step = [0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => (last - first) / each <= 8) ?? 200;
      const bottom = Math.min(...places.map(([, y]) => y)) - 0.75;
      for (let mile = Math.ceil(first / step) * step; mile <= last + 1e-9; mile += step) {
        const icon = L.divIcon({ className: "mile-name", html: `<span>mile ${mile}</span>`, iconSize: [0, 0] });
        L.marker(this.place(mile, bottom), { icon, interactive: false, keyboard: false }).addTo(this.layer);
      }
    },
    fit() {
      if (!this.scene?.points.length) return;
      const places = this.scene.points.map(([, x, y]) => this.place(x, y));
      const bounds = L.latLngBounds(places);
      if (this.schematic) {
        bounds.extend([bounds.getSouth() - 0.8 * this.rowHeight, bounds.getWest()]);
        bounds.extend([bounds.getNorth() + 0.25 * this.rowHeight, bounds.getWest()]);
      }
      this.map.fitBounds(bounds, { padding: [26, 22], animate: false, maxZoom: this.schematic ? 12 : 15 });
    },
    colourBy(what) {
      this.colour = what;
      this.restyle();
    },
    describe(sensor) {
      const [name, place, health] = this.scene.labels[sensor];
      const mark = this.scene.marks[sensor] ?? [];
      const [, , , speed, volume, occupancy, time] = mark;
      const values = time
        ? `${measure(speed, "mph", 1)} · ${measure(volume, "veh/h")} · ${measure(occupancy, "%", 1)} occupied`
        : "no reading yet";
      return [
        `<b>${escapeHtml(name)}</b>`,
        escapeHtml(place),
        escapeHtml(values),
        time ? escapeHtml(time) : "",
        mark[7] || health ? escapeHtml(mark[7] || health) : "",
      ]
        .filter(Boolean)
        .join("<br>");
    },
  },
};
