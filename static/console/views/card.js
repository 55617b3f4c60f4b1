// What is known of the shopper: the same pieces in the ring and in the context column.

import { html } from "../lib.js";
import { clock, languageName, money, span } from "../format.js";
import { pick } from "../texts.js";
import { Icon, Known, Since, useNow } from "./parts.js";

const ICONS = {
  page: "page", list: "list", search: "search", product: "product", cart_add: "cart", cart_remove: "cart", cart: "cart",
  wishlist: "heart", checkout: "card", checkout_step: "card", payment: "card", purchase: "check", coupon: "tag", shown: "bell",
};

/** One short name: the one that the shop has signed for, else new or returning, and the visitor's short id. */
export function who(ctx, card) {
  const named = card?.who?.name || card?.who?.customer;
  if (named) return named;
  const returning = card?.who?.returning;
  const words = ctx.say(returning === true ? "returning_shopper" : returning === false ? "new_shopper" : "shopper");
  return card?.who?.visitor ? `${words} ${card.who.visitor}` : words;
}

const Row = ({ label, children }) => html`<div class="row"><dt>${label}</dt><dd>${children}</dd></div>`;

export function Facts({ ctx, card, skew }) {
  const { where, product, cart } = card ?? {};
  return html`
    <dl class="facts">
      <${Row} label=${ctx.say("where")}>
        <span class="clamp"><${Known} ctx=${ctx} value=${where?.title || (where?.type && (ctx.say(`page_${where.type}`) ?? where.type))} /></span>
        ${where && html`<div class="dim break clamp">${where.path}${where.since_ms ? html`${" · "}<${Since} since_ms=${where.since_ms} skew=${skew}
          words=${(ms) => ctx.say("since", { time: span(ctx.language, ms) })} />` : null}</div>`}
      <//>
      <${Row} label=${ctx.say("product")}>
        <${Picture} ctx=${ctx} id=${product?.id} />
        <span class="clamp"><${Admin} ctx=${ctx} kind="product" id=${product?.id}><${Known} ctx=${ctx} value=${product && (product.name || product.id)} /><//></span>
        ${product && html`<div class="dim"><${Known} ctx=${ctx} value=${money(ctx.language, product.price, cart?.currency ?? ctx.currency)} /></div>`}
      <//>
      ${Number.isFinite(card?.who?.zone) && html`<${Row} label=${ctx.say("their_time")}><${TheirTime} ctx=${ctx} zone=${card.who.zone} skew=${skew} /><//>`}
      ${card?.who?.customer && html`<${Row} label=${ctx.say("customer")}><${Admin} ctx=${ctx} kind="customer" id=${card.who.customer}>${card.who.customer}<//><//>`}
      <${Row} label=${ctx.say("language")}><${Known} ctx=${ctx} value=${languageName(ctx.language, card?.who?.language)} /><//>
      <${Row} label=${ctx.say("offered")}><${Offered} ctx=${ctx} offered=${card?.offered} /><//>
    </dl>
  `;
}

/** The shopper's own clock. */
function TheirTime({ ctx, zone, skew }) {
  const now = useNow(10_000) + skew;
  return html`<span class="digits">${new Date(now + zone * 60_000).toISOString().slice(11, 16)}</span>`;
}

/** A link into the shop's own admin, where the site has one for this kind of thing. */
function Admin({ ctx, kind, id, children }) {
  const address = ctx.admin?.[kind];
  if (!address || !id) return children;
  return html`<a href=${address.replace(`{${kind}}`, encodeURIComponent(id))} target="_blank" rel="noopener noreferrer">${children}</a>`;
}

/** What the shopper looks at, where the site says where its pictures are. One that is not there leaves no hole. */
function Picture({ ctx, id }) {
  if (!ctx.picture || !id) return null;
  const address = ctx.picture.replace("{product}", encodeURIComponent(id));
  return html`<img key=${address} class="picture" src=${address} alt="" width="56" height="56" referrerpolicy="no-referrer"
    onError=${(event) => { event.target.hidden = true; }} />`;
}

export function Cart({ ctx, cart }) {
  const lines = cart?.lines ?? [];
  const more = (cart?.count ?? 0) - lines.length;
  return html`
    <section class="cart">
      <h3>${ctx.say("cart")}</h3>
      ${!cart ? html`<p><${Known} ctx=${ctx} value=${null} /></p>` : cart.count === 0 ? html`<p class="dim">${ctx.say("cart_empty")}</p>` : html`
        <p class="total"><strong><${Known} ctx=${ctx} value=${money(ctx.language, cart.value, cart.currency)} /></strong>
          <span class="dim">${ctx.say("cart_count", { quantity: cart.quantity ?? ctx.say("unknown") })}</span></p>
        <ul class="lines">
          ${lines.map((line) => html`<li key=${line.id}>
            <span class="break">${line.name || line.id}</span>
            <span class="digits dim">${line.quantity} × <${Known} ctx=${ctx} value=${money(ctx.language, line.price, cart.currency)} /></span>
          </li>`)}
          ${more > 0 && html`<li class="dim">${ctx.say("cart_more", { n: more })}</li>`}
        </ul>`}
    </section>
  `;
}

export function Why({ ctx, why }) {
  const sentences = pick(ctx.language, why) ?? [];
  return html`
    <section class="why">
      <h3>${ctx.say("why_now")}</h3>
      ${sentences.length ? sentences.map((sentence) => html`<p>${String(sentence)}</p>`) : html`<p><${Known} ctx=${ctx} value=${null} /></p>`}
    </section>
  `;
}

/** Who passed the talk on, and what they noted; nothing if nobody did. */
export function Passed({ ctx, transfer }) {
  if (!transfer?.from) return null;
  return html`
    <section class="passed">
      <h3>${ctx.say("passed_by", { name: transfer.from })}</h3>
      ${transfer.note && html`<p class="break">${transfer.note}</p>`}
    </section>`;
}

/** Why it is with this agent and nobody else. */
export function WhyAgent({ ctx, why }) {
  if (!why) return null;
  const skills = why.skills?.length ? ctx.say("why_skills", { skills: why.skills.map((skill) => languageName(ctx.language, skill) || skill).join(", ") }) : "";
  return html`
    <section class="why-agent">
      <h3>${ctx.say("why_you")}</h3>
      <p>${ctx.say(`why_${why.kind}`) ?? why.kind}${skills && html` ${skills}`}</p>
      ${why.kind !== "again" && html`<p class="dim small-text">${ctx.say("why_then", { wait: span(ctx.language, why.waited_ms ?? 0), load: why.load ?? 0 })}${why.step > 0 ? ` ${ctx.say("why_relaxed")}` : ""}</p>`}
    </section>`;
}

/** An offered thing in words: its kind, and the name it carries. */
function offer(ctx, thing) {
  if (typeof thing !== "object" || thing === null) return String(thing);
  const kind = ctx.say(`offer_${thing.kind}`) ?? thing.kind;
  const name = thing.title ?? pick(ctx.language, thing.name) ?? thing.id ?? thing.rule;
  return [kind, name, clock(ctx.language, thing.at_ms)].filter(Boolean).join(" · ");
}

/** What was offered before; null is unknown, nothing is nothing. */
function Offered({ ctx, offered }) {
  if (!offered) return html`<${Known} ctx=${ctx} value=${null} />`;
  if (!offered.length) return html`<span class="dim">${ctx.say("offered_none")}</span>`;
  return html`<ul>${offered.map((thing) => html`<li>${offer(ctx, thing)}</li>`)}</ul>`;
}

/** The newest step first: what the shopper did last matters most. */
export function Journey({ ctx, journey, most = 40 }) {
  const steps = journey ? journey.slice(-most).reverse() : [];
  return html`
    <section class="journey">
      <h3>${ctx.say("journey")}</h3>
      ${!journey ? html`<p><${Known} ctx=${ctx} value=${null} /></p>` : !steps.length ? html`<p class="dim">${ctx.say("journey_none")}</p>` : html`
        <ol>${steps.map((step) => html`
          <li>
            <${Icon} name=${ICONS[step.kind] ?? "page"} />
            <span class="break">${ctx.say(`step_${step.kind}`) ?? step.kind}${step.label ? html` <span class="dim"><${Admin} ctx=${ctx} kind=${step.kind === "purchase" ? "order" : ""} id=${step.label}>${step.label}<//></span>` : null}</span>
            <time class="dim digits">${clock(ctx.language, step.at_ms, true)}</time>
          </li>`)}
        </ol>`}
    </section>
  `;
}
