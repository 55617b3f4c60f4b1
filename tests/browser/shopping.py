"""What a shopper does in the demo shop."""

from __future__ import annotations

from playwright.async_api import Page, expect

XSS = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"


async def put_in_cart(page: Page, url: str, product: str, quantity: int = 1) -> None:
    """As a shopper does it."""
    await page.goto(f"{url}/demo/p/{product}")
    await page.locator("#quantity").select_option(str(quantity))
    await page.locator(".buy button").click()
    await expect(page.locator(".done")).not_to_be_empty()


async def order(page: Page, code: str) -> None:
    """Fill in the checkout and place the order."""
    await page.locator("#name").fill("山田 花子")
    await page.locator("#street").fill("東京都台東区")
    await page.locator("#code").fill(code)
    await page.locator("#order .button").click()
