"""An empty array, which is what the published PHP client sends for an object without fields..."""

import asyncio
import json
import shutil
import subprocess

import pytest

PHP = """<?php
function call($method, $path, $params = [], $json = null) {
    $handle = curl_init(getenv('BASE') . $path . ($params === [] ? '' : '?' . http_build_query($params)));
    $headers = ['Authorization: Bearer ' . getenv('KEY'), 'Accept: application/json'];
    if ($json !== null) {
        $headers[] = 'Content-Type: application/json';
        curl_setopt($handle, CURLOPT_POSTFIELDS, json_encode($json));
    }
    curl_setopt_array($handle, [
        CURLOPT_RETURNTRANSFER => true, CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $headers,
    ]);
    $body = curl_exec($handle);
    return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), json_decode($body, true)];
}
$goods = ['title' => 'Key', 'price' => 5, 'type' => 'SERIALS', 'serials' => ['A-1', 'B-2']];
$product = call('POST', '/dev/v1/products/', [], $goods)[1]['data'];
$items = [['product_id' => $product['id'], 'quantity' => 1]];
$purchase = ['email' => 'b@example.com', 'items' => $items, 'custom_fields' => []];
$order = call('POST', '/dev/v1/orders', [], $purchase)[1]['data'];
$draft = ['title' => 'Fee', 'email' => 'b@example.com', 'value' => 3.5, 'currency' => 'USD', 'custom_fields' => []];
$payment = call('POST', '/dev/v1/payments', [], $draft)[1]['data'];
$invoice = call('POST', '/dev/v1/payments', [], $draft)[1]['data'];
$told = ['url' => 'https://93.184.216.34/in', 'events' => ['order:paid']];
$hook = call('POST', '/dev/v1/webhooks', [], $told)[1]['data'];
$told = [
    call('POST', "/dev/v1/orders/{$order['id']}/complete", [], []),
    call('POST', "/dev/v1/payments/{$payment['uniqid']}/complete", [], []),
    call('POST', "/dev/v1/invoices/{$invoice['uniqid']}/complete", [], []),
    call('POST', "/dev/v1/webhooks/{$hook['id']}/test", [], []),
    call('POST', "/dev/v1/webhooks/{$hook['id']}/rotate-secret", [], []),
];
$log = call('GET', '/dev/v1/webhooks/logs', ['limit' => 1, 'page' => 1])[1]['data'][0];
$told[] = call('POST', "/dev/v1/webhooks/logs/{$log['id']}/retry", [], []);
$told[] = call('PATCH', "/dev/v1/products/{$product['id']}", [], []);
$told[] = call('GET', '/dev/v1/products/search', ['q' => 'key', 'include_variants' => false]);
$told[] = call('DELETE', "/dev/v1/products/{$product['id']}");
$told[] = call('POST', '/dev/v1/customers', [], ['b@example.com']);
echo json_encode(array_map(fn ($each) => $each[0], $told));
"""


async def test_is_answered_like_an_object_without_fields(merchant, tmp_path):
    php = shutil.which("php")
    if php is None:
        pytest.skip("php is not installed")
    (tmp_path / "calls.php").write_text(PHP)
    done = await asyncio.to_thread(
        subprocess.run,
        [php, "calls.php"], cwd=tmp_path, env={"BASE": merchant.base_url, "KEY": merchant.key},
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [200, 200, 200, 200, 200, 200, 200, 200, 204, 422]
